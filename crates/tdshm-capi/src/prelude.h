/*
 * tdshm: shared memory with TouchDesigner, and with any other program, from C.
 *
 * Generated from the Rust sources of the library: `cargo xtask headers --write` in its repository. Do not edit.
 *
 * How to read it. In the order of this file: statuses and texts, segments, locks, channels, images, pixel formats, and what there
 * is (discovery); constants first, then structures, then functions.
 *
 *     tdshm_chop_sender_t *sender;
 *     if (tdshm_chop_sender_create("mocap", 5, NULL, &sender) != TDSHM_OK) {
 *         fprintf(stderr, "%s\n", tdshm_last_error());
 *         return 1;
 *     }
 *     float samples[2] = {0.5f, 1.5f};
 *     tdshm_chop_sender_send(sender, samples, 2, 1);
 *     tdshm_chop_sender_free(sender);
 *
 * What holds for all functions:
 *
 * - They give a status: 0 it was done, above 0 an error, below 0 a value that is no error (TDSHM_NO_NEW_FRAME, …). After an
 *   error the object is usable, unlocked unless it was locked before, and holds its last good frame.
 * - A handle is no address but a key, which is looked up: one that is NULL, freed, freed twice, of another kind, or no handle
 *   at all gives TDSHM_ERR_HANDLE. Free gives TDSHM_OK for NULL.
 * - Any thread may use any handle. Calls on one handle follow one another; those that may wait long (a receiver's _next) refuse
 *   others with TDSHM_ERR_IN_USE. A lock belongs to the thread that took it, on every system.
 * - A thread that ends with a lock or a view has left it: other threads can use the handle then, and free it, and whoever takes the
 *   lock next is told that it was abandoned. On macOS the lock itself stays taken until the process ends.
 * - A forked child has copies of all handles. What belongs to its parent gives TDSHM_ERR_FORKED, and a handle that another thread was
 *   using just then TDSHM_ERR_IN_USE; new handles work.
 * - No panic, signal or exception comes out of the library, and it calls nobody back.
 * - Texts that go in are UTF-8 with their length in bytes, also on Windows, and need no NUL. Texts that come out are copied into
 *   the caller's buffer, or lent for as long as it says.
 * - What the caller's duty remains: a pointer is NULL, or leads to as many elements as is said beside it, which stay there and are
 *   touched by nobody else during the call. Structures begin with their size, so that they may grow: TDSHM_INIT(object)
 *   makes all of one zero and sets it.
 * - Memory that is lent (`samples`, `pixels`, `memory`) must not be touched after it ended. Other programs may write into
 *   `memory` and into views at any moment: copy, then decide on the copy.
 * - Times are nanoseconds, rates Hz, sizes bytes unless they say otherwise.
 *
 * Offered under the MIT and Apache-2.0 licences.
 */
