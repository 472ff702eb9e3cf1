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
 * - They give a status: 0 it was done, above 0 an error, below 0 a value that is no error (TDSHM_NO_NEW_FRAME, ...). After an
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

#ifndef TDSHM_H
#define TDSHM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** The version of this header. */
#define TDSHM_VERSION_MAJOR 0
#define TDSHM_VERSION_MINOR 1
#define TDSHM_VERSION_PATCH 0
/** The same as one number, as tdshm_version gives that of the library. */
#define TDSHM_VERSION ((TDSHM_VERSION_MAJOR << 16) | (TDSHM_VERSION_MINOR << 8) | TDSHM_VERSION_PATCH)
/** The same as a text. */
#define TDSHM_VERSION_TEXT "0.1.0"

/** Whether a status is an error. */
#define TDSHM_FAILED(status) ((status) > 0)
/** Makes all of a structure zero and sets its size: TDSHM_INIT(options). */
#define TDSHM_INIT(object) (memset(&(object), 0, sizeof(object)), (void)((object).struct_size = (uint32_t)sizeof(object)))

/**
 * It was done.
 */
#define TDSHM_OK 0

/**
 * No error: no frame has come since the last one that was taken.
 */
#define TDSHM_NO_NEW_FRAME (-1)

/**
 * No error: there is no sender yet, or it has left, or it has not written yet.
 */
#define TDSHM_NOTHING_YET (-2)

/**
 * No error: another thread or process has the lock.
 */
#define TDSHM_NOT_FREE (-3)

/**
 * No error: the image lies there already, and was not sent again.
 */
#define TDSHM_UNCHANGED (-4)

/**
 * No error: there is none of that name or kind.
 */
#define TDSHM_NOT_FOUND (-5)

/**
 * No error: the text was longer than the buffer; as much as fits was copied, and how much is needed was told.
 */
#define TDSHM_TRUNCATED (-6)

/**
 * No error: a foreign sender is there, which counts nothing, so nobody can tell whether it has written: compare.
 */
#define TDSHM_NOT_KNOWN (-7)

/**
 * A segment of that name is already there.
 */
#define TDSHM_ERR_ALREADY_EXISTS 1

/**
 * No segment of that name.
 */
#define TDSHM_ERR_DOES_NOT_EXIST 2

/**
 * The info segment of that name is already there: somebody sends under it.
 */
#define TDSHM_ERR_INFO_ALREADY_EXISTS 3

/**
 * The info segment is missing, or the sender has left.
 */
#define TDSHM_ERR_INFO_DOES_NOT_EXIST 4

/**
 * The mapping failed.
 */
#define TDSHM_ERR_UNABLE_TO_MAP 5

/**
 * The info lock was not free within the limit.
 */
#define TDSHM_ERR_UNABLE_TO_LOCK_INFO 6

/**
 * A short name that cannot be one.
 */
#define TDSHM_ERR_NAME 100

/**
 * The lock was not free within the limit: try again.
 */
#define TDSHM_ERR_LOCK_TIMEOUT 101

/**
 * This thread holds that lock already: locks are not recursive.
 */
#define TDSHM_ERR_ALREADY_HELD 102

/**
 * Something else than a lock has the lock's name, or a lock of another C library.
 */
#define TDSHM_ERR_NOT_A_LOCK 103

/**
 * The lock was left unusable by another program.
 */
#define TDSHM_ERR_UNRECOVERABLE 104

/**
 * This process was forked from the one that owns the segment.
 */
#define TDSHM_ERR_FORKED 105

/**
 * What guards the lock itself was never free (macOS).
 */
#define TDSHM_ERR_STUCK 106

/**
 * Something stands there that this program must not use.
 */
#define TDSHM_ERR_NOT_OURS 110

/**
 * The object is smaller than what it has to hold.
 */
#define TDSHM_ERR_TOO_SMALL 111

/**
 * The info segment does not hold an info block.
 */
#define TDSHM_ERR_BAD_INFO 112

/**
 * A size that no segment can have.
 */
#define TDSHM_ERR_BAD_SIZE 113

/**
 * The operating system refused.
 */
#define TDSHM_ERR_OS 114

/**
 * There is no room for it in shared memory.
 */
#define TDSHM_ERR_NO_ROOM 115

/**
 * The segment is only observed here, and what was asked for needs its lock.
 */
#define TDSHM_ERR_ONLY_OBSERVED 116

/**
 * More places for the data than a segment can have.
 */
#define TDSHM_ERR_TOO_MANY_SLOTS 117

/**
 * The draft is not the one that its sender began last.
 */
#define TDSHM_ERR_STALE_DRAFT 118

/**
 * A block breaks a rule of the protocol: on the way out nothing was written, on the way in nothing was believed.
 */
#define TDSHM_ERR_BLOCK 120

/**
 * An argument cannot be right: null where something is needed, a number out of its range, a buffer that is not aligned.
 */
#define TDSHM_ERR_ARGUMENT 200

/**
 * This is no handle of that kind: it is null, was never given out, has been freed, or belongs to another kind of object.
 */
#define TDSHM_ERR_HANDLE 201

/**
 * Another thread is in a call on this handle that may take long, or holds the lock through it.
 */
#define TDSHM_ERR_IN_USE 202

/**
 * Nothing is locked, viewed or begun through this handle that could be ended.
 */
#define TDSHM_ERR_NOT_LOCKED 203

/**
 * The lock is held by the thread that took it, and only that one can let go of it.
 */
#define TDSHM_ERR_WRONG_THREAD 204

/**
 * The library made a mistake and caught itself. The handle can only be freed; please report the text.
 */
#define TDSHM_ERR_PANIC 205

/**
 * The sender has been detached: its handle can only be freed.
 */
#define TDSHM_ERR_DETACHED 206

/**
 * A lock, view or draft of this handle has not been ended yet: end it first.
 */
#define TDSHM_ERR_UNFINISHED 207

/**
 * A text is not UTF-8.
 */
#define TDSHM_ERR_TEXT 208

/**
 * The size at the beginning of a structure cannot be right: set it to sizeof, see TDSHM_INIT.
 */
#define TDSHM_ERR_STRUCT_SIZE 209

/**
 * A buffer is too short, or its rows would overlap.
 */
#define TDSHM_ERR_BUFFER 210

/**
 * The pixel format is unknown.
 */
#define TDSHM_ERR_FORMAT 211

/**
 * There are more than 65536 handles.
 */
#define TDSHM_ERR_TOO_MANY_HANDLES 212

/**
 * Another error, of which only the text says more.
 */
#define TDSHM_ERR_OTHER 299

/**
 * It is no error.
 */
#define TDSHM_KIND_NONE 0

/**
 * Trying again soon may work.
 */
#define TDSHM_KIND_RETRY 1

/**
 * There is nothing of that name yet.
 */
#define TDSHM_KIND_ABSENT 2

/**
 * Somebody else has it.
 */
#define TDSHM_KIND_BUSY 3

/**
 * It was there and has gone.
 */
#define TDSHM_KIND_GONE 4

/**
 * The argument or the rights are wrong: trying again will not help.
 */
#define TDSHM_KIND_REFUSED 5

/**
 * What is there does not follow the protocol.
 */
#define TDSHM_KIND_BROKEN 6

/**
 * The program uses this library wrongly.
 */
#define TDSHM_KIND_MISUSE 7

/**
 * For a limit: that of the handle.
 */
#define TDSHM_DEFAULT (-1)

/**
 * For a time to wait: for ever, or 292 years.
 */
#define TDSHM_FOREVER 9223372036854775807

/**
 * There has not been one, as far as this receiver saw.
 */
#define TDSHM_ATTACHED_NOT_YET 0

/**
 * There is, and its segment is open here.
 */
#define TDSHM_ATTACHED_YES 1

/**
 * There was one, and it left.
 */
#define TDSHM_ATTACHED_LEFT 2

/**
 * There was one, and its process died. Known of senders of this library alone.
 */
#define TDSHM_ATTACHED_DIED 3

/**
 * The first field of a channel block.
 */
#define TDSHM_CHOP_MAGIC 317543631

/**
 * The second field of a channel block: the only version there is.
 */
#define TDSHM_CHOP_VERSION 1

/**
 * For `slots`: none at all.
 */
#define TDSHM_NO_SLOTS (-1)

/**
 * The first field of an image block since 2022.
 */
#define TDSHM_TOP_MAGIC 3646879797

/**
 * The second field of an image block without colour, which is what is sent unless something else is asked for.
 */
#define TDSHM_TOP_VERSION 1

/**
 * As TouchDesigner: the bottom row for what lies in a segment. In what the caller gives it is no choice.
 */
#define TDSHM_ROWS_DEFAULT 0

/**
 * The top row, as in picture files and cameras.
 */
#define TDSHM_ROWS_TOP_FIRST 1

/**
 * The bottom row, as in TouchDesigner and OpenGL.
 */
#define TDSHM_ROWS_BOTTOM_FIRST 2

/**
 * Version 1, which TouchDesigner reads since 2022; version 2 where a colour is given.
 */
#define TDSHM_HEADER_DEFAULT 0

/**
 * Version 1.
 */
#define TDSHM_HEADER_V1 1

/**
 * Version 2, with colour: TouchDesigner of 2025.
 */
#define TDSHM_HEADER_V2 2

/**
 * That of TouchDesigner before 2022.
 */
#define TDSHM_HEADER_LEGACY 3

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R8_UNORM 9

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R8G8_UNORM 16

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R8G8B8A8_UNORM 37

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R8G8B8A8_SRGB 43

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_B8G8R8A8_UNORM 44

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_B8G8R8A8_SRGB 50

/**
 * Ten bits for each of red, green and blue, two for alpha, in one little-endian word.
 */
#define TDSHM_FORMAT_A2B10G10R10_UNORM_PACK32 64

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R16_UNORM 70

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R16_SFLOAT 76

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R16G16_UNORM 77

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R16G16_SFLOAT 83

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R16G16B16A16_UNORM 91

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R16G16B16A16_SFLOAT 97

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R32_SFLOAT 100

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R32G32_SFLOAT 103

/**
 * As Vulkan's format of that name.
 */
#define TDSHM_FORMAT_R32G32B32A32_SFLOAT 109

/**
 * Small floats without a sign, red in the lowest 11 bits, in one little-endian word.
 */
#define TDSHM_FORMAT_B10G11R11_UFLOAT_PACK32 122

/**
 * Alpha alone, which reads as 0, 0, 0, A.
 */
#define TDSHM_FORMAT_A8_UNORM 983041

/**
 * Alpha alone, which reads as 0, 0, 0, A.
 */
#define TDSHM_FORMAT_A16_UNORM 983042

/**
 * Alpha alone, which reads as 0, 0, 0, A.
 */
#define TDSHM_FORMAT_A16_SFLOAT 983043

/**
 * Alpha alone, which reads as 0, 0, 0, A.
 */
#define TDSHM_FORMAT_A32_SFLOAT 983044

/**
 * Mono and alpha, which reads as R, R, R, A.
 */
#define TDSHM_FORMAT_R8A8_UNORM 983045

/**
 * Mono and alpha, which reads as R, R, R, A.
 */
#define TDSHM_FORMAT_R16A16_UNORM 983046

/**
 * Mono and alpha, which reads as R, R, R, A.
 */
#define TDSHM_FORMAT_R16A16_SFLOAT 983047

/**
 * Mono and alpha, which reads as R, R, R, A.
 */
#define TDSHM_FORMAT_R32A32_SFLOAT 983048

/**
 * Four bytes a pixel, from 0 to 255.
 */
#define TDSHM_RGBA8 1

/**
 * Four 16-bit numbers a pixel, from 0 to 65535.
 */
#define TDSHM_RGBA16 2

/**
 * Four 32-bit floats a pixel: unorm is from 0 to 1, float whatever it is.
 */
#define TDSHM_RGBA32F 3

/**
 * Of a source: what its format says. Of a target: what the source has.
 */
#define TDSHM_ENCODING_DEFAULT 0

/**
 * Proportional to light.
 */
#define TDSHM_ENCODING_LINEAR 1

/**
 * By the curve of sRGB.
 */
#define TDSHM_ENCODING_SRGB 2

/**
 * Nothing that is known here, or nothing yet.
 */
#define TDSHM_HOLDS_UNKNOWN 0

/**
 * Channels.
 */
#define TDSHM_HOLDS_CHANNELS 1

/**
 * An image.
 */
#define TDSHM_HOLDS_IMAGE 2

/**
 * All blocks of a program of this library.
 */
#define TDSHM_HOLDS_GLOBAL 3

/**
 * It was removed, or would be.
 */
#define TDSHM_FATE_REMOVED 0

/**
 * A living sender has it, or somebody has the lock open.
 */
#define TDSHM_FATE_IN_USE 1

/**
 * A foreign program made it, and nobody can tell whether that still lives.
 */
#define TDSHM_FATE_FOREIGN 2

/**
 * It goes with the programs that have it open.
 */
#define TDSHM_FATE_HELD_OPEN 3

/**
 * This user may not.
 */
#define TDSHM_FATE_OUT_OF_REACH 4

/**
 * A data segment.
 */
#define TDSHM_OBJECT_DATA 1

/**
 * An info segment.
 */
#define TDSHM_OBJECT_INFO 2

/**
 * A lock.
 */
#define TDSHM_OBJECT_LOCK 3

/**
 * Reads channels out of another program's segment: a Shared Mem In CHOP.
 */
typedef struct tdshm_chop_receiver_t tdshm_chop_receiver_t;

/**
 * Writes channels into a segment of its own: a Shared Mem Out CHOP.
 */
typedef struct tdshm_chop_sender_t tdshm_chop_sender_t;

/**
 * All fields of all objects of a segment, and what breaks the protocol.
 */
typedef struct tdshm_examination_t tdshm_examination_t;

/**
 * Segments, as they were found.
 */
typedef struct tdshm_list_t tdshm_list_t;

/**
 * A named lock between processes, and between threads: never left locked by a dead process.
 */
typedef struct tdshm_lock_t tdshm_lock_t;

/**
 * A segment that another program makes, or will make: this one reads.
 */
typedef struct tdshm_receiver_t tdshm_receiver_t;

/**
 * A segment that this program made: it writes there, and others read.
 */
typedef struct tdshm_sender_t tdshm_sender_t;

/**
 * What became of objects when they were cleaned up.
 */
typedef struct tdshm_swept_t tdshm_swept_t;

/**
 * Reads images out of another program's segment: a Shared Mem In TOP.
 */
typedef struct tdshm_top_receiver_t tdshm_top_receiver_t;

/**
 * Writes images into a segment of its own: a Shared Mem Out TOP.
 */
typedef struct tdshm_top_sender_t tdshm_top_sender_t;

/**
 * What a function says: 0 when it did what was asked, above 0 an error, below 0 a value that is no error (there is no
 * new frame, the lock is not free, ...).
 *
 * 1 to 6 are the states that TouchDesigner's own classes report, those from 100 on are this library's, and those from
 * 200 on belong to its C side. A number never changes its meaning; new ones may come.
 */
typedef int32_t tdshm_status_t;

/**
 * What a program may do about an error: see tdshm_status_kind.
 */
typedef int32_t tdshm_kind_t;

/**
 * How a segment is created. All zero but for `struct_size` (TDSHM_INIT) are the usual settings.
 */
typedef struct tdshm_sender_options_t {
  /**
   * sizeof(tdshm_sender_options_t).
   */
  uint32_t struct_size;
  /**
   * Unix permission bits of the objects; 0 stands for 0600, this user alone. Others need 0660 or 0666, and may then
   * end this program by shrinking its memory. Linux and macOS; Windows ignores it.
   */
  uint32_t mode;
  /**
   * Not 0: takes the name over where a foreign program has it, of which nobody can tell whether it lives. From a dead
   * sender of this library a name is taken over without asking, from a living one never.
   */
  int32_t take_over;
  /**
   * 0.
   */
  int32_t reserved;
  /**
   * Where a resize stops reserving twice what is needed, in bytes; 0 stands for 256 MiB.
   */
  uint64_t room_ceiling_bytes;
  /**
   * How long to wait for a lock, in nanoseconds; 0 stands for 5 seconds.
   */
  int64_t lock_limit_ns;
} tdshm_sender_options_t;

/**
 * What has happened to a segment, as one side of it saw. Set `struct_size` first: TDSHM_INIT.
 */
typedef struct tdshm_stats_t {
  /**
   * sizeof(tdshm_stats_t).
   */
  uint32_t struct_size;
  /**
   * The process that sends; 0 while nobody does, and of a foreign sender, which does not say.
   */
  uint32_t sender_pid;
  /**
   * Bytes of data that are mapped; 0 while nothing is open.
   */
  uint64_t mapped_bytes;
  /**
   * How often the data has moved to another segment, of one and the same sender.
   */
  uint64_t resizes;
  /**
   * How often the data lock was found to have been left by a process that died with it.
   */
  uint64_t abandoned;
} tdshm_stats_t;

/**
 * How a receiver is opened. All zero but for `struct_size` (TDSHM_INIT) are the usual settings.
 */
typedef struct tdshm_receiver_options_t {
  /**
   * sizeof(tdshm_receiver_options_t).
   */
  uint32_t struct_size;
  /**
   * Not 0: only observes. Takes no lock and no entry with the sender, which is never delayed by it; frames are copied,
   * never borrowed, and new ones are looked for once a millisecond.
   */
  int32_t observe;
  /**
   * How long to wait for a lock, in nanoseconds; 0 stands for 5 seconds.
   */
  int64_t lock_limit_ns;
  /**
   * How long tdshm_..._next looks without a pause before it sleeps, in nanoseconds: what it gains is the time that waking
   * up takes, tens of microseconds; what it costs is a processor. Channels and images alone.
   */
  int64_t spin_ns;
  /**
   * Which row lies first in the segment, where the sender does not follow TouchDesigner: TDSHM_ROWS_.... Images alone.
   */
  int32_t stored_rows;
  /**
   * Not 0: memory whose address tdshm_receiver_memory has told stays where it is when its sender moves or leaves, until
   * another address is told, or the receiver closes; otherwise it ends with the next call that looks. tdshm_receiver_open alone.
   */
  int32_t keep_memory;
} tdshm_receiver_options_t;

/**
 * Whether there is a sender, as of the last look: TDSHM_ATTACHED_....
 */
typedef int32_t tdshm_attached_t;

/**
 * A text: UTF-8 of so many bytes, which needs no NUL behind it. Where one is lent out it has none either.
 */
typedef struct tdshm_text_t {
  /**
   * The first byte; may be NULL where there are none.
   */
  const char *text;
  /**
   * How many there are.
   */
  size_t bytes;
} tdshm_text_t;

/**
 * How a sender of channels is created. All zero but for `struct_size` (TDSHM_INIT) are the usual settings.
 */
typedef struct tdshm_chop_sender_options_t {
  /**
   * sizeof(tdshm_chop_sender_options_t).
   */
  uint32_t struct_size;
  /**
   * As in tdshm_sender_options_t.
   */
  uint32_t mode;
  /**
   * As in tdshm_sender_options_t.
   */
  int32_t take_over;
  /**
   * Not 0: names are not sent; a receiver keeps those that it had.
   */
  int32_t without_names;
  /**
   * The names of the channels, `num_channels` of them; NULL: they are called `chan1`, `chan2`, .... With names every frame
   * has as many channels as there are names.
   */
  const struct tdshm_text_t *channels;
  /**
   * How many names there are.
   */
  uint64_t num_channels;
  /**
   * Samples per second, in Hz; 0 stands for 60.
   */
  float sample_rate;
  /**
   * Places for the data beside one another, of which receivers read one while another is filled: 0 leaves it to the
   * sender, 2 to 4 are so many, TDSHM_NO_SLOTS none.
   */
  int32_t slots;
  /**
   * Room for frames of so many channels...
   */
  uint64_t room_channels;
  /**
   * ... of so many samples each; 0 leaves 64 KiB in all.
   */
  uint64_t room_samples;
  /**
   * As in tdshm_sender_options_t.
   */
  uint64_t room_ceiling_bytes;
  /**
   * As in tdshm_sender_options_t.
   */
  int64_t lock_limit_ns;
} tdshm_chop_sender_options_t;

/**
 * A frame of channels. Set `struct_size` first: TDSHM_INIT.
 */
typedef struct tdshm_chop_frame_t {
  /**
   * sizeof(tdshm_chop_frame_t).
   */
  uint32_t struct_size;
  /**
   * 1: the last holder of the lock died with it, and the frame may be half of one; else 0.
   */
  int32_t abandoned;
  /**
   * Channels; none is a valid frame.
   */
  uint64_t num_channels;
  /**
   * Samples in each channel; none is a valid frame.
   */
  uint64_t len_samples;
  /**
   * All of channel 0, then all of channel 1, and so on; NULL where the samples were copied elsewhere.
   */
  const float *samples;
  /**
   * Samples per second, in Hz.
   */
  float sample_rate;
  /**
   * 0.
   */
  uint32_t reserved;
  /**
   * The number that the sender gave it, from 1; -1 where that is not known, as of all foreign senders.
   */
  int64_t number;
  /**
   * How many frames came between this one and the one that was taken before it; -1 where that is not known.
   */
  int64_t missed;
  /**
   * How old it was when it was taken, in nanoseconds; -1 where that is not known.
   */
  int64_t age_ns;
} tdshm_chop_frame_t;

/**
 * Which header an image has: TDSHM_HEADER_....
 */
typedef int32_t tdshm_header_t;

/**
 * Which row of an image lies first: TDSHM_ROWS_....
 */
typedef int32_t tdshm_rows_t;

/**
 * What a pixel is: TDSHM_FORMAT_..., the numbers that TouchDesigner writes, which are Vulkan's, and some of its own.
 */
typedef uint32_t tdshm_format_t;

/**
 * What the numbers of an image mean, in the block's own numbers.
 */
typedef struct tdshm_colour_t {
  /**
   * 2: Rec.709, which sRGB has too.
   */
  uint32_t primaries;
  /**
   * 0: linear. 1: sRGB.
   */
  uint32_t transfer;
} tdshm_colour_t;

/**
 * How a sender of images is created. All zero but for `struct_size` (TDSHM_INIT) are the usual settings.
 */
typedef struct tdshm_top_sender_options_t {
  /**
   * sizeof(tdshm_top_sender_options_t).
   */
  uint32_t struct_size;
  /**
   * As in tdshm_sender_options_t.
   */
  uint32_t mode;
  /**
   * As in tdshm_sender_options_t.
   */
  int32_t take_over;
  /**
   * Which header images have: TDSHM_HEADER_....
   */
  tdshm_header_t header;
  /**
   * Which row is to lie first in the segment: TDSHM_ROWS_....
   */
  tdshm_rows_t stored_rows;
  /**
   * As in tdshm_chop_sender_options_t.
   */
  int32_t slots;
  /**
   * Room for images of this format...
   */
  tdshm_format_t room_format;
  /**
   * ... this width...
   */
  uint32_t room_width;
  /**
   * ... and this height; 0 leaves it to the first image.
   */
  uint32_t room_height;
  /**
   * The aspect of a pixel, both 0 for 1 and 1.
   */
  float aspect_x;
  /**
   * As above.
   */
  float aspect_y;
  /**
   * Not 0: `colour` is sent, for which the header must not be of version 1.
   */
  int32_t has_colour;
  /**
   * What the numbers mean.
   */
  struct tdshm_colour_t colour;
  /**
   * As in tdshm_sender_options_t.
   */
  uint64_t room_ceiling_bytes;
  /**
   * As in tdshm_sender_options_t.
   */
  int64_t lock_limit_ns;
} tdshm_top_sender_options_t;

/**
 * An image of the caller's, as it lies. Set `struct_size` first: TDSHM_INIT.
 */
typedef struct tdshm_pixels_t {
  /**
   * sizeof(tdshm_pixels_t).
   */
  uint32_t struct_size;
  /**
   * What a pixel is: TDSHM_FORMAT_....
   */
  tdshm_format_t format;
  /**
   * Pixels in a row, 1 to 32768.
   */
  uint32_t width;
  /**
   * Rows, 1 to 32768.
   */
  uint32_t height;
  /**
   * Which row lies first: TDSHM_ROWS_TOP_FIRST or TDSHM_ROWS_BOTTOM_FIRST. There is no default: say it.
   */
  tdshm_rows_t rows;
  /**
   * The aspect of a pixel, both 0 for the sender's.
   */
  float aspect_x;
  /**
   * As above.
   */
  float aspect_y;
  /**
   * 0.
   */
  uint32_t reserved;
  /**
   * Bytes from the start of a row to that of the next; 0 where rows lie right behind one another.
   */
  uint64_t stride_bytes;
  /**
   * The first byte of the first row.
   */
  const void *data;
  /**
   * How many bytes lie there.
   */
  uint64_t size_bytes;
} tdshm_pixels_t;

/**
 * An image that is drawn in place. Set `struct_size` first: TDSHM_INIT.
 */
typedef struct tdshm_draft_t {
  /**
   * sizeof(tdshm_draft_t).
   */
  uint32_t struct_size;
  /**
   * Which row lies first there: TDSHM_ROWS_TOP_FIRST or TDSHM_ROWS_BOTTOM_FIRST.
   */
  tdshm_rows_t rows;
  /**
   * The first byte of the first row.
   */
  void *pixels;
  /**
   * All bytes.
   */
  uint64_t size_bytes;
  /**
   * Bytes from the start of a row to that of the next, which is what a row has.
   */
  uint64_t stride_bytes;
} tdshm_draft_t;

/**
 * An image. Set `struct_size` first: TDSHM_INIT.
 */
typedef struct tdshm_top_frame_t {
  /**
   * sizeof(tdshm_top_frame_t).
   */
  uint32_t struct_size;
  /**
   * 1: the last holder of the lock died with it, and the image may be half of one; else 0.
   */
  int32_t abandoned;
  /**
   * Pixels in a row.
   */
  uint32_t width;
  /**
   * Rows.
   */
  uint32_t height;
  /**
   * What a pixel is: TDSHM_FORMAT_..., or a number that nobody knows here; of a legacy block its twin, or 0 where it has none.
   */
  tdshm_format_t format;
  /**
   * Bytes of a pixel; 0 where the format is not known: then the bytes are there, and only their sender knows them.
   */
  uint32_t bytes_per_pixel;
  /**
   * Which row lies first: TDSHM_ROWS_TOP_FIRST or TDSHM_ROWS_BOTTOM_FIRST.
   */
  tdshm_rows_t rows;
  /**
   * Which header the block has: TDSHM_HEADER_....
   */
  tdshm_header_t header;
  /**
   * Of a legacy block: its three formats, which are OpenGL's; else 0.
   */
  int32_t legacy_data_format;
  /**
   * As above.
   */
  int32_t legacy_data_type;
  /**
   * As above.
   */
  int32_t legacy_pixel_format;
  /**
   * The aspect of a pixel, as the block says it.
   */
  float aspect_x;
  /**
   * As above.
   */
  float aspect_y;
  /**
   * 1: `colour` is what the block says; else 0.
   */
  int32_t has_colour;
  /**
   * What the numbers mean.
   */
  struct tdshm_colour_t colour;
  /**
   * Bytes of a row, which is also how far the next one is; 0 where the format is not known.
   */
  uint64_t row_bytes;
  /**
   * Bytes of all rows.
   */
  uint64_t size_bytes;
  /**
   * The first byte of the first row; NULL where the pixels were copied elsewhere.
   */
  const void *pixels;
  /**
   * As in tdshm_chop_frame_t.
   */
  int64_t number;
  /**
   * As in tdshm_chop_frame_t.
   */
  int64_t missed;
  /**
   * As in tdshm_chop_frame_t.
   */
  int64_t age_ns;
} tdshm_top_frame_t;

/**
 * What comes out of a conversion: TDSHM_RGBA....
 */
typedef int32_t tdshm_channel_type_t;

/**
 * What numbers are, or shall be: TDSHM_ENCODING_....
 */
typedef int32_t tdshm_encoding_t;

/**
 * What is known of a format. Set `struct_size` first: TDSHM_INIT.
 */
typedef struct tdshm_format_info_t {
  /**
   * sizeof(tdshm_format_info_t).
   */
  uint32_t struct_size;
  /**
   * Bytes of a pixel.
   */
  uint32_t bytes_per_pixel;
  /**
   * Bits of its widest number.
   */
  uint32_t bits;
  /**
   * 1: its numbers are floats; else 0.
   */
  int32_t is_float;
  /**
   * 1: its numbers are stored as sRGB; else 0.
   */
  int32_t is_srgb;
  /**
   * 1: it has one number for red, green and blue; else 0.
   */
  int32_t is_mono;
  /**
   * 1: it has alpha; else 0.
   */
  int32_t has_alpha;
  /**
   * 0.
   */
  uint32_t reserved;
} tdshm_format_info_t;

/**
 * An image, and what is to come of it. Set `struct_size` first: TDSHM_INIT.
 */
typedef struct tdshm_convert_t {
  /**
   * sizeof(tdshm_convert_t).
   */
  uint32_t struct_size;
  /**
   * What a pixel of the source is: TDSHM_FORMAT_....
   */
  tdshm_format_t format;
  /**
   * Pixels in a row.
   */
  uint32_t width;
  /**
   * Rows.
   */
  uint32_t height;
  /**
   * The first byte of the source.
   */
  const void *source;
  /**
   * Its bytes.
   */
  uint64_t source_bytes;
  /**
   * Bytes from the start of a row of it to that of the next; 0 where rows lie right behind one another.
   */
  uint64_t source_stride_bytes;
  /**
   * Which row of it comes first: TDSHM_ROWS_....
   */
  tdshm_rows_t source_rows;
  /**
   * What its numbers are: TDSHM_ENCODING_....
   */
  tdshm_encoding_t source_encoding;
  /**
   * The first byte of the target, aligned to its numbers.
   */
  void *target;
  /**
   * Its bytes.
   */
  uint64_t target_bytes;
  /**
   * Bytes from the start of a row of it to that of the next, a whole number of its numbers; 0 where rows lie right behind
   * one another. What lies between rows is not touched.
   */
  uint64_t target_stride_bytes;
  /**
   * Which row of it comes first: TDSHM_ROWS_....
   */
  tdshm_rows_t target_rows;
  /**
   * What its numbers shall be: TDSHM_ENCODING_....
   */
  tdshm_encoding_t target_encoding;
  /**
   * What it has: TDSHM_RGBA8, TDSHM_RGBA16 or TDSHM_RGBA32F.
   */
  tdshm_channel_type_t channel_type;
  /**
   * 0.
   */
  uint32_t reserved;
} tdshm_convert_t;

/**
 * What a segment holds: TDSHM_HOLDS_....
 */
typedef int32_t tdshm_holds_t;

/**
 * What a look at a segment found. Set `struct_size` first: TDSHM_INIT. Texts are valid as long as the list.
 */
typedef struct tdshm_segment_info_t {
  /**
   * sizeof(tdshm_segment_info_t).
   */
  uint32_t struct_size;
  /**
   * What lies in it: TDSHM_HOLDS_....
   */
  tdshm_holds_t holds;
  /**
   * The short name.
   */
  struct tdshm_text_t name;
  /**
   * The data segment's object name.
   */
  struct tdshm_text_t object;
  /**
   * Its size in bytes; -1 where there is an info segment and no data.
   */
  int64_t mapped_bytes;
  /**
   * 1: the sender has said that it left; 0: not; -1: there is no info segment.
   */
  int32_t detached;
  /**
   * 1: a foreign receiver has been there; 0: none; -1: there is no info segment.
   */
  int32_t supported;
  /**
   * 1: its sender is of this library, and the fields up to `num_receivers` are known; else 0.
   */
  int32_t is_ours;
  /**
   * 1: the owner lives; else 0.
   */
  int32_t owner_alive;
  /**
   * The process that owns it; 0: none.
   */
  uint32_t owner_pid;
  /**
   * Who reads, the dead included until their places are needed: see tdshm_list_receiver.
   */
  uint32_t num_receivers;
  /**
   * The owner's program.
   */
  struct tdshm_text_t program;
  /**
   * Frames written.
   */
  uint64_t frames;
  /**
   * How old the last frame is, in nanoseconds; -1 before the first, and where that is not known.
   */
  int64_t age_ns;
  /**
   * What is wrong with the block; empty where nothing is.
   */
  struct tdshm_text_t trouble;
  /**
   * Of channels: how many.
   */
  uint64_t num_channels;
  /**
   * Of channels: samples in each.
   */
  uint64_t len_samples;
  /**
   * Of channels: samples per second, in Hz.
   */
  float sample_rate;
  /**
   * Of channels: 1 where names are sent; else 0. See tdshm_list_channel_name.
   */
  int32_t names_sent;
  /**
   * Of an image: pixels in a row.
   */
  uint32_t width;
  /**
   * Of an image: rows.
   */
  uint32_t height;
  /**
   * Of an image: TDSHM_FORMAT_..., 0 where there is none.
   */
  tdshm_format_t format;
  /**
   * 0.
   */
  uint32_t reserved;
} tdshm_segment_info_t;

/**
 * What a receiver of this library recorded about itself. Set `struct_size` first: TDSHM_INIT.
 */
typedef struct tdshm_receiver_info_t {
  /**
   * sizeof(tdshm_receiver_info_t).
   */
  uint32_t struct_size;
  /**
   * Its process.
   */
  uint32_t pid;
  /**
   * 1: that lives; else 0.
   */
  int32_t alive;
  /**
   * 1: it sleeps until the next frame; else 0.
   */
  int32_t waiting;
  /**
   * The number of the frame it took last; -1 before the first.
   */
  int64_t frame;
  /**
   * How many frames were written since.
   */
  uint64_t behind;
} tdshm_receiver_info_t;

/**
 * What an object is: TDSHM_OBJECT_....
 */
typedef int32_t tdshm_object_t;

/**
 * What became of an object: TDSHM_FATE_....
 */
typedef int32_t tdshm_fate_t;

/**
 * What became of one object. Set `struct_size` first: TDSHM_INIT. Texts are valid as long as what they are from.
 */
typedef struct tdshm_swept_info_t {
  /**
   * sizeof(tdshm_swept_info_t).
   */
  uint32_t struct_size;
  /**
   * What it is: TDSHM_OBJECT_....
   */
  tdshm_object_t kind;
  /**
   * What became of it: TDSHM_FATE_....
   */
  tdshm_fate_t fate;
  /**
   * Whose it is, of TDSHM_FATE_IN_USE; 0 where that is not known.
   */
  uint32_t pid;
  /**
   * The object's name.
   */
  struct tdshm_text_t object;
  /**
   * Why it is out of reach; else empty.
   */
  struct tdshm_text_t reason;
} tdshm_swept_info_t;

/**
 * One field of one object. Set `struct_size` first: TDSHM_INIT. Texts are valid as long as the examination.
 */
typedef struct tdshm_field_info_t {
  /**
   * sizeof(tdshm_field_info_t).
   */
  uint32_t struct_size;
  /**
   * 0.
   */
  uint32_t reserved;
  /**
   * The object's name.
   */
  struct tdshm_text_t object;
  /**
   * What the object holds, in a few words.
   */
  struct tdshm_text_t holds;
  /**
   * Bytes that the object has.
   */
  uint64_t mapped_bytes;
  /**
   * The field's name, as in the protocol's description.
   */
  struct tdshm_text_t field;
  /**
   * Where it lies in the object, in bytes.
   */
  uint64_t offset;
  /**
   * What it holds, as a text.
   */
  struct tdshm_text_t value;
} tdshm_field_info_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The text of the last error on this thread: one sentence in UTF-8 with the names, the numbers and what to do. Empty
 * where there has been none; never NULL.
 *
 * It is valid until the next call on this thread that gives an error. Calls that give 0 or less leave it alone.
 */
const char *tdshm_last_error(void);

/**
 * The status that goes with tdshm_last_error, TDSHM_OK where there has been no error on this thread.
 */
tdshm_status_t tdshm_last_status(void);

/**
 * Copies the text of the last error on this thread, with a NUL behind it, into `buffer` of `capacity` bytes. `needed`,
 * which may be NULL, is told how many bytes the whole text takes with its NUL.
 *
 * TDSHM_TRUNCATED where it did not fit: then what is there ends with NUL as well, and at a whole character. `buffer` may be
 * NULL where `capacity` is 0.
 */
tdshm_status_t tdshm_copy_last_error(char *buffer,
                                     size_t capacity,
                                     size_t *needed);

/**
 * The name of a status, `TDSHM_ERR_NAME`; `unknown` for a number that is none. Never NULL, and valid for ever.
 */
const char *tdshm_status_name(tdshm_status_t status);

/**
 * A few words on a status; what happened says tdshm_last_error. Never NULL, and valid for ever.
 */
const char *tdshm_status_text(tdshm_status_t status);

/**
 * What a program may do about a status: one of TDSHM_KIND_....
 */
tdshm_kind_t tdshm_status_kind(tdshm_status_t status);

/**
 * The version of the library that runs: its major number times 65536, plus its minor number times 256, plus its patch
 * number. Compare it with TDSHM_VERSION, which is that of the header.
 */
uint32_t tdshm_version(void);

/**
 * The version of the library that runs, as a text: `0.1.0`. Valid for ever.
 */
const char *tdshm_version_text(void);

/**
 * Creates the segment `name`, which is UTF-8 on every system, with room for at least `size_bytes` bytes, all zero.
 *
 * `options` may be NULL. `*sender` is NULL where it could not be done. What comes of it is freed with tdshm_sender_free.
 *
 * TDSHM_ERR_ALREADY_EXISTS or TDSHM_ERR_INFO_ALREADY_EXISTS where another program has the name, TDSHM_ERR_NAME for a name
 * that cannot be one, TDSHM_ERR_BAD_SIZE for a size of 0 or above 2 GiB; nothing is left behind then.
 */
tdshm_status_t tdshm_sender_create(const char *name,
                                   size_t name_bytes,
                                   size_t size_bytes,
                                   const struct tdshm_sender_options_t *options,
                                   struct tdshm_sender_t **sender);

/**
 * Frees the sender: receivers are told that it left, and a lock that this thread holds through it is let go of.
 *
 * Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread holds its lock or is in a long call: then it is not
 * freed.
 */
tdshm_status_t tdshm_sender_free(struct tdshm_sender_t *sender);

/**
 * Takes the data lock for one write, waiting up to `limit_ns` nanoseconds (TDSHM_DEFAULT: the sender's own limit), and
 * tells where the memory lies, which `memory` and `size_bytes` need not ask: both may be NULL.
 *
 * `abandoned`, which may be NULL as well, is 1 where the last holder died with the lock, so that what lies there may be
 * half written; it is held all the same. Hold it for the copy alone: everybody else waits, TouchDesigner included.
 *
 * TDSHM_ERR_LOCK_TIMEOUT where somebody else held it throughout; TDSHM_ERR_ALREADY_HELD where this thread holds it;
 * TDSHM_ERR_IN_USE where another thread does through this very handle.
 */
tdshm_status_t tdshm_sender_lock(struct tdshm_sender_t *sender,
                                 int64_t limit_ns,
                                 void **memory,
                                 size_t *size_bytes,
                                 int32_t *abandoned);

/**
 * As tdshm_sender_lock without waiting: TDSHM_NOT_FREE, which is no error, where another thread or process has the lock.
 */
tdshm_status_t tdshm_sender_try_lock(struct tdshm_sender_t *sender,
                                     void **memory,
                                     size_t *size_bytes,
                                     int32_t *abandoned);

/**
 * Lets go of the lock: what was written is a frame, and receivers that wait are woken.
 *
 * TDSHM_ERR_NOT_LOCKED where nothing is locked through this handle, TDSHM_ERR_WRONG_THREAD where another thread locked it.
 */
tdshm_status_t tdshm_sender_unlock(struct tdshm_sender_t *sender);

/**
 * Where the memory lies and how many bytes it has, with the lock or without it. `size_bytes` may be NULL.
 *
 * The address changes with tdshm_sender_resize, and ends with tdshm_sender_detach and tdshm_sender_free. Who writes there
 * without the lock may be read half written, and wakes nobody.
 */
tdshm_status_t tdshm_sender_memory(struct tdshm_sender_t *sender,
                                   void **memory,
                                   size_t *size_bytes);

/**
 * Moves to a segment with room for at least `size_bytes` bytes; receivers follow by themselves. It begins with the
 * `data_bytes` bytes at `data`, which may be NULL and 0, and the rest is zero: nobody sees it without them.
 *
 * TDSHM_ERR_UNFINISHED while this thread holds the lock through this handle: unlock first.
 */
tdshm_status_t tdshm_sender_resize(struct tdshm_sender_t *sender,
                                   size_t size_bytes,
                                   const void *data,
                                   size_t data_bytes);

/**
 * Leaves: tells the receivers and frees the name, so that it can be created again at once. The handle stays, to be freed.
 *
 * `alone`, which may be NULL, is 1 where no receiver had the segment open any more when it left, which the vendor's class
 * answers. Foreign receivers are known only by having been there: of them it says 0.
 */
tdshm_status_t tdshm_sender_detach(struct tdshm_sender_t *sender,
                                   int32_t *alone);

/**
 * Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
 */
tdshm_status_t tdshm_sender_name(struct tdshm_sender_t *sender, char *buffer, size_t capacity, size_t *needed);

/**
 * What has happened to the segment so far.
 */
tdshm_status_t tdshm_sender_stats(struct tdshm_sender_t *sender, struct tdshm_stats_t *stats);

/**
 * Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
 */
tdshm_status_t tdshm_sender_set_lock_limit(struct tdshm_sender_t *sender, int64_t limit_ns);

/**
 * Opens the segment `name`, which is UTF-8 on every system, and whose sender may come later: that nobody sends yet is no
 * error. `options` may be NULL. What comes of it is freed with tdshm_receiver_free.
 *
 * TDSHM_ERR_NAME for a name that cannot be one.
 */
tdshm_status_t tdshm_receiver_open(const char *name,
                                   size_t name_bytes,
                                   const struct tdshm_receiver_options_t *options,
                                   struct tdshm_receiver_t **receiver);

/**
 * Frees the receiver; a lock that this thread holds through it is let go of.
 *
 * Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread holds its lock or is in a long call: then it is not
 * freed.
 */
tdshm_status_t tdshm_receiver_free(struct tdshm_receiver_t *receiver);

/**
 * Looks whether the sender has come, moved its data or left, follows it, and takes the data lock for one read, waiting up
 * to `limit_ns` nanoseconds (TDSHM_DEFAULT: the receiver's own limit). `memory`, `size_bytes` and `abandoned` may be NULL.
 *
 * `size_bytes` is what is mapped, whole pages; what a block has says its header, which nobody vouches for. `abandoned` is 1
 * where the last holder died with the lock: what lies there may be half written.
 *
 * TDSHM_NOTHING_YET, with nothing locked and `*memory` NULL, while there is no sender. TDSHM_ERR_ONLY_OBSERVED where this is an
 * observer; otherwise as tdshm_sender_lock.
 */
tdshm_status_t tdshm_receiver_lock(struct tdshm_receiver_t *receiver,
                                   int64_t limit_ns,
                                   void **memory,
                                   size_t *size_bytes,
                                   int32_t *abandoned);

/**
 * As tdshm_receiver_lock without waiting: TDSHM_NOT_FREE, which is no error, where another thread or process has the lock.
 */
tdshm_status_t tdshm_receiver_try_lock(struct tdshm_receiver_t *receiver,
                                       void **memory,
                                       size_t *size_bytes,
                                       int32_t *abandoned);

/**
 * Lets go of the lock.
 *
 * TDSHM_ERR_NOT_LOCKED where nothing is locked through this handle, TDSHM_ERR_WRONG_THREAD where another thread locked it.
 */
tdshm_status_t tdshm_receiver_unlock(struct tdshm_receiver_t *receiver);

/**
 * Where the sender's memory lies, with the lock or without it, and how many bytes are mapped (`size_bytes` may be NULL).
 * Without the lock it looks for the sender first and follows it. TDSHM_NOTHING_YET and NULL while there is none.
 *
 * The address may change with every call on this handle that looks (lock, memory; see `keep_memory` of the options), and ends
 * with tdshm_receiver_close and tdshm_receiver_free. What is read there without the lock may be half written. Who may only read what the sender made
 * (its mode) must not write there: that ends the program.
 */
tdshm_status_t tdshm_receiver_memory(struct tdshm_receiver_t *receiver,
                                     void **memory,
                                     size_t *size_bytes);

/**
 * Waits until the sender has written since this was asked last, for `timeout_ns` nanoseconds at most; 0 only looks.
 * TDSHM_OK where it has, TDSHM_NO_NEW_FRAME where it has not. Takes no lock.
 *
 * A sender of this library counts what it writes, and wakes whoever waits. A foreign one does not: while that is there this gives
 * TDSHM_NOT_KNOWN, which is below 0 and not TDSHM_OK, after a millisecond (at once where `timeout_ns` is 0), whether something is new
 * or not. The caller then takes the lock, compares what lies there with what it had, and calls again.
 */
tdshm_status_t tdshm_receiver_wait(struct tdshm_receiver_t *receiver,
                                   int64_t timeout_ns);

/**
 * The state that TouchDesigner's own class would report after the last look: TDSHM_OK or TDSHM_ERR_ALREADY_EXISTS (1) to
 * TDSHM_ERR_UNABLE_TO_LOCK_INFO (6).
 */
tdshm_status_t tdshm_receiver_state(struct tdshm_receiver_t *receiver,
                                    tdshm_status_t *state);

/**
 * Whether there was a sender at the last look: TDSHM_ATTACHED_....
 */
tdshm_status_t tdshm_receiver_attached(struct tdshm_receiver_t *receiver, tdshm_attached_t *attached);

/**
 * Whether it only observes (1) or not (0): because it was asked to, or because this user may read what the sender made and
 * not write it.
 */
tdshm_status_t tdshm_receiver_is_observer(struct tdshm_receiver_t *receiver,
                                          int32_t *observes);

/**
 * Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
 */
tdshm_status_t tdshm_receiver_name(struct tdshm_receiver_t *receiver, char *buffer, size_t capacity, size_t *needed);

/**
 * What has happened to the segment so far.
 */
tdshm_status_t tdshm_receiver_stats(struct tdshm_receiver_t *receiver, struct tdshm_stats_t *stats);

/**
 * Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
 */
tdshm_status_t tdshm_receiver_set_lock_limit(struct tdshm_receiver_t *receiver, int64_t limit_ns);

/**
 * Lets go of everything that is open, so that the sender neither waits for this receiver nor keeps its objects for it. The
 * next lock opens it again.
 */
tdshm_status_t tdshm_receiver_close(struct tdshm_receiver_t *receiver);

/**
 * Opens the lock whose object has that name, and makes it where it is missing, for this user alone. The name is the whole
 * name of the object: that of the data lock of a segment is `TouchSHM`, the short name, `Mutex`.
 *
 * What comes of it is freed with tdshm_lock_free.
 */
tdshm_status_t tdshm_lock_open(const char *name,
                               size_t name_bytes,
                               struct tdshm_lock_t **lock);

/**
 * Frees the lock's handle; where this thread holds it, it is let go of. The lock itself stays.
 *
 * Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread holds it through this handle: then it is not freed.
 */
tdshm_status_t tdshm_lock_free(struct tdshm_lock_t *lock);

/**
 * Takes the lock, waiting up to `limit_ns` nanoseconds (TDSHM_DEFAULT: 5 seconds, as TouchDesigner waits).
 *
 * `abandoned`, which may be NULL, is 1 where the last holder died with it; it is held all the same.
 *
 * TDSHM_ERR_LOCK_TIMEOUT, and TDSHM_ERR_ALREADY_HELD by this very thread, at once. TDSHM_ERR_IN_USE where another thread holds it
 * through this very handle: threads that wait for one another have a handle each.
 */
tdshm_status_t tdshm_lock_acquire(struct tdshm_lock_t *lock,
                                  int64_t limit_ns,
                                  int32_t *abandoned);

/**
 * As tdshm_lock_acquire without waiting: TDSHM_NOT_FREE, which is no error, where another thread or process has it.
 */
tdshm_status_t tdshm_lock_try_acquire(struct tdshm_lock_t *lock, int32_t *abandoned);

/**
 * Lets go of the lock.
 *
 * TDSHM_ERR_NOT_LOCKED where it is not held through this handle, TDSHM_ERR_WRONG_THREAD where another thread took it.
 */
tdshm_status_t tdshm_lock_release(struct tdshm_lock_t *lock);

/**
 * The process that holds it, as the lock's record says: a look for tools. TDSHM_NOT_FOUND, and 0, where it is free or
 * cannot say. Windows: known of this process alone.
 */
tdshm_status_t tdshm_lock_holder(struct tdshm_lock_t *lock, uint32_t *pid);

/**
 * Copies the object's name with a NUL behind it, as tdshm_copy_last_error copies.
 */
tdshm_status_t tdshm_lock_name(struct tdshm_lock_t *lock, char *buffer, size_t capacity, size_t *needed);

/**
 * Creates a sender of channels under the short name `name`, which is UTF-8 on every system. `options` may be NULL.
 *
 * Errors as tdshm_sender_create, and TDSHM_ERR_BLOCK for names that hold NUL or a rate that is not finite and positive. What comes
 * of it is freed with tdshm_chop_sender_free.
 */
tdshm_status_t tdshm_chop_sender_create(const char *name,
                                        size_t name_bytes,
                                        const struct tdshm_chop_sender_options_t *options,
                                        struct tdshm_chop_sender_t **sender);

/**
 * Sends one frame: all samples of channel 0, then all of channel 1, and so on, `num_channels` times `len_samples` in all.
 *
 * A block that does not fit the room moves to a larger segment, and receivers follow. No call to the system is made where the lock
 * is free and nobody waits, and nothing is allocated while the layout stays. A frame without samples (`len_samples` 0) has as many
 * channels as there are names.
 *
 * TDSHM_ERR_BLOCK for a number of channels that is not the number of names, or a block above 2 GiB: nothing was written.
 * TDSHM_ERR_LOCK_TIMEOUT where the lock was not free within the limit: the frame is lost, the next one may work.
 */
tdshm_status_t tdshm_chop_sender_send(struct tdshm_chop_sender_t *sender,
                                      const float *samples,
                                      size_t num_channels,
                                      size_t len_samples);

/**
 * Sends one frame whose channels lie in different places: `rows` has `num_channels` pointers to `len_samples` samples each.
 *
 * As tdshm_chop_sender_send.
 */
tdshm_status_t tdshm_chop_sender_send_rows(struct tdshm_chop_sender_t *sender,
                                           const float *const *rows,
                                           size_t num_channels,
                                           size_t len_samples);

/**
 * Begins a frame that is filled in place: `*samples` is where its `num_channels` times `len_samples` samples go, all of channel 0
 * first, with whatever lies there. Nobody reads there, and no lock is held: take your time.
 *
 * It ends with tdshm_chop_sender_commit or tdshm_chop_sender_discard, from any thread, and the pointer ends with it. Until then
 * the other calls that send give TDSHM_ERR_UNFINISHED.
 */
tdshm_status_t tdshm_chop_sender_begin(struct tdshm_chop_sender_t *sender,
                                       size_t num_channels,
                                       size_t len_samples,
                                       float **samples);

/**
 * Sends the frame that tdshm_chop_sender_begin began. Whatever comes of it, the draft has ended.
 *
 * TDSHM_ERR_NOT_LOCKED where nothing was begun; otherwise as tdshm_chop_sender_send.
 */
tdshm_status_t tdshm_chop_sender_commit(struct tdshm_chop_sender_t *sender);

/**
 * Throws away what tdshm_chop_sender_begin began. TDSHM_ERR_NOT_LOCKED where nothing was begun.
 */
tdshm_status_t tdshm_chop_sender_discard(struct tdshm_chop_sender_t *sender);

/**
 * Names the channels from the next frame on; none: they are called `chan1`, `chan2`, ....
 *
 * TDSHM_ERR_BLOCK for a name that holds NUL: the old names stay.
 */
tdshm_status_t tdshm_chop_sender_set_channels(struct tdshm_chop_sender_t *sender,
                                              const struct tdshm_text_t *names,
                                              size_t num_names);

/**
 * Sets the sample rate, in Hz, from the next frame on.
 *
 * TDSHM_ERR_BLOCK for a rate that is not finite and positive: the old rate stays.
 */
tdshm_status_t tdshm_chop_sender_set_sample_rate(struct tdshm_chop_sender_t *sender, float sample_rate);

/**
 * Whether names are sent (not 0), which they are at first. Without them a receiver keeps the names it had.
 */
tdshm_status_t tdshm_chop_sender_set_names_sent(struct tdshm_chop_sender_t *sender, int32_t names_sent);

/**
 * Frees the sender: receivers are told that it left, and a draft is thrown away.
 *
 * Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread is in a long call: then it is not freed.
 */
tdshm_status_t tdshm_chop_sender_free(struct tdshm_chop_sender_t *sender);

/**
 * Leaves: tells the receivers and frees the name. The handle stays, to be freed. `alone` as in tdshm_sender_detach.
 */
tdshm_status_t tdshm_chop_sender_detach(struct tdshm_chop_sender_t *sender, int32_t *alone);

/**
 * Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
 */
tdshm_status_t tdshm_chop_sender_name(struct tdshm_chop_sender_t *sender,
                                      char *buffer,
                                      size_t capacity,
                                      size_t *needed);

/**
 * What has happened to the segment so far.
 */
tdshm_status_t tdshm_chop_sender_stats(struct tdshm_chop_sender_t *sender, struct tdshm_stats_t *stats);

/**
 * Frames sent so far.
 */
tdshm_status_t tdshm_chop_sender_frames(struct tdshm_chop_sender_t *sender, uint64_t *frames);

/**
 * Bytes of the largest block that fits without moving to a larger segment.
 */
tdshm_status_t tdshm_chop_sender_room(struct tdshm_chop_sender_t *sender, size_t *room_bytes);

/**
 * Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
 */
tdshm_status_t tdshm_chop_sender_set_lock_limit(struct tdshm_chop_sender_t *sender, int64_t limit_ns);

/**
 * Opens the segment `name`, which is UTF-8 on every system, and whose sender may come later: that nobody sends yet is no
 * error. `options` may be NULL. What comes of it is freed with tdshm_chop_receiver_free.
 */
tdshm_status_t tdshm_chop_receiver_open(const char *name,
                                        size_t name_bytes,
                                        const struct tdshm_receiver_options_t *options,
                                        struct tdshm_chop_receiver_t **receiver);

/**
 * Frees the receiver, the memory of its last frame, and a view that this thread has through it.
 *
 * Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread has a view or waits: then it is not freed.
 */
tdshm_status_t tdshm_chop_receiver_free(struct tdshm_chop_receiver_t *receiver);

/**
 * Copies the next frame that differs from the last one into the receiver's own memory, waiting for it, and for its sender,
 * `timeout_ns` nanoseconds at most; 0 only looks. `frame`, which may be NULL, is told what came.
 *
 * A sender of this library wakes it; a foreign one is looked at once a millisecond, without the lock. Other threads are
 * refused this handle with TDSHM_ERR_IN_USE while it waits.
 *
 * TDSHM_NO_NEW_FRAME where none came. After an error `frame` is untouched, and the last good frame is still there.
 */
tdshm_status_t tdshm_chop_receiver_next(struct tdshm_chop_receiver_t *receiver,
                                        int64_t timeout_ns,
                                        struct tdshm_chop_frame_t *frame);

/**
 * Copies the newest frame into the receiver's own memory, whether or not it differs from the last. `frame` may be NULL.
 *
 * TDSHM_NOTHING_YET while there is no sender, or it has not written yet.
 */
tdshm_status_t tdshm_chop_receiver_read(struct tdshm_chop_receiver_t *receiver,
                                        struct tdshm_chop_frame_t *frame);

/**
 * The last good frame that tdshm_chop_receiver_next or _read took. TDSHM_NOTHING_YET before the first.
 *
 * Its pointers are valid until the next call of _next, _read or _free with this handle.
 */
tdshm_status_t tdshm_chop_receiver_frame(struct tdshm_chop_receiver_t *receiver, struct tdshm_chop_frame_t *frame);

/**
 * Copies the newest frame's samples into `samples`, which has room for `capacity` of them: all of channel 0 first. `frame`, which
 * may be NULL, is told its measures; its `samples` is NULL. The names of the channels are those of this frame afterwards.
 *
 * TDSHM_NOTHING_YET as tdshm_chop_receiver_read. TDSHM_ERR_BLOCK where the buffer is too short: nothing has been copied.
 */
tdshm_status_t tdshm_chop_receiver_read_into(struct tdshm_chop_receiver_t *receiver,
                                             float *samples,
                                             size_t capacity,
                                             struct tdshm_chop_frame_t *frame);

/**
 * Lends the name of channel `index`, counted from 0, of the newest frame that was looked at: UTF-8 of `*name_bytes` bytes, without a
 * NUL behind it. Valid until the next call with this handle that looks, or _free.
 *
 * TDSHM_NOT_FOUND where there are not so many channels.
 */
tdshm_status_t tdshm_chop_receiver_channel_name(struct tdshm_chop_receiver_t *receiver,
                                                size_t index,
                                                const char **name,
                                                size_t *name_bytes);

/**
 * The position, from 0, of the first channel with that name in the newest frame that was looked at.
 *
 * TDSHM_NOT_FOUND where there is none.
 */
tdshm_status_t tdshm_chop_receiver_find_channel(struct tdshm_chop_receiver_t *receiver,
                                                const char *name,
                                                size_t name_bytes,
                                                size_t *index);

/**
 * Lends the newest frame where it lies, under the lock: no copy. Its pointers are valid until tdshm_chop_receiver_end_view.
 * Everybody else waits until then, TouchDesigner included, so be quick. Its number, age and what was missed are not known.
 *
 * TDSHM_NOTHING_YET, with nothing locked, while there is no sender, or it has not written yet. TDSHM_ERR_ONLY_OBSERVED where this is
 * an observer.
 */
tdshm_status_t tdshm_chop_receiver_view(struct tdshm_chop_receiver_t *receiver,
                                        struct tdshm_chop_frame_t *frame);

/**
 * Ends tdshm_chop_receiver_view: lets go of the lock.
 *
 * TDSHM_ERR_NOT_LOCKED where there is no view, TDSHM_ERR_WRONG_THREAD where another thread has it.
 */
tdshm_status_t tdshm_chop_receiver_end_view(struct tdshm_chop_receiver_t *receiver);

/**
 * The state that TouchDesigner's own class would report after the last look, as tdshm_receiver_state.
 */
tdshm_status_t tdshm_chop_receiver_state(struct tdshm_chop_receiver_t *receiver, tdshm_status_t *state);

/**
 * Whether there was a sender at the last look: TDSHM_ATTACHED_....
 */
tdshm_status_t tdshm_chop_receiver_attached(struct tdshm_chop_receiver_t *receiver, tdshm_attached_t *attached);

/**
 * Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
 */
tdshm_status_t tdshm_chop_receiver_name(struct tdshm_chop_receiver_t *receiver,
                                        char *buffer,
                                        size_t capacity,
                                        size_t *needed);

/**
 * What has happened to the segment so far.
 */
tdshm_status_t tdshm_chop_receiver_stats(struct tdshm_chop_receiver_t *receiver, struct tdshm_stats_t *stats);

/**
 * Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
 */
tdshm_status_t tdshm_chop_receiver_set_lock_limit(struct tdshm_chop_receiver_t *receiver, int64_t limit_ns);

/**
 * Changes how long tdshm_chop_receiver_next looks without a pause before it sleeps, in nanoseconds.
 */
tdshm_status_t tdshm_chop_receiver_set_spin(struct tdshm_chop_receiver_t *receiver, int64_t spin_ns);

/**
 * Lets go of everything that is open, so that the sender neither waits for this receiver nor keeps its objects for it. The
 * last frame stays; the next look opens it again.
 */
tdshm_status_t tdshm_chop_receiver_close(struct tdshm_chop_receiver_t *receiver);

/**
 * Creates a sender of images under the short name `name`, which is UTF-8 on every system. `options` may be NULL.
 *
 * Errors as tdshm_sender_create. What comes of it is freed with tdshm_top_sender_free.
 */
tdshm_status_t tdshm_top_sender_create(const char *name,
                                       size_t name_bytes,
                                       const struct tdshm_top_sender_options_t *options,
                                       struct tdshm_top_sender_t **sender);

/**
 * Sends one image. Size and format may change from one to the next; what does not fit the room moves to a larger segment, and
 * receivers follow.
 *
 * TDSHM_ERR_BLOCK for an image that cannot be one, or whose rows are not all there: nothing was written. TDSHM_ERR_LOCK_TIMEOUT where the
 * lock was not free within the limit: the image is lost, the next one may work.
 */
tdshm_status_t tdshm_top_sender_send(struct tdshm_top_sender_t *sender,
                                     const struct tdshm_pixels_t *pixels);

/**
 * Sends an image again that is to stay: TDSHM_UNCHANGED where it lies there already, which takes as long to find out as to send
 * it. For senders of stills, a few times a second: foreign programs may have written over it, or come without being told.
 */
tdshm_status_t tdshm_top_sender_keep(struct tdshm_top_sender_t *sender,
                                     const struct tdshm_pixels_t *pixels);

/**
 * Begins an image that is drawn in place: `draft` is told where its rows go, with whatever lies there. Nobody reads there, and no
 * lock is held: take your time.
 *
 * It ends with tdshm_top_sender_commit or tdshm_top_sender_discard, from any thread, and the pointer ends with it. Until then
 * the other calls that send give TDSHM_ERR_UNFINISHED.
 */
tdshm_status_t tdshm_top_sender_begin(struct tdshm_top_sender_t *sender,
                                      tdshm_format_t format,
                                      uint32_t width,
                                      uint32_t height,
                                      struct tdshm_draft_t *draft);

/**
 * Sends the image that tdshm_top_sender_begin began. Whatever comes of it, the draft has ended.
 *
 * TDSHM_ERR_NOT_LOCKED where nothing was begun; otherwise as tdshm_top_sender_send.
 */
tdshm_status_t tdshm_top_sender_commit(struct tdshm_top_sender_t *sender);

/**
 * Throws away what tdshm_top_sender_begin began. TDSHM_ERR_NOT_LOCKED where nothing was begun.
 */
tdshm_status_t tdshm_top_sender_discard(struct tdshm_top_sender_t *sender);

/**
 * The aspect of a pixel from the next image on: both finite and above 0.
 */
tdshm_status_t tdshm_top_sender_set_aspect(struct tdshm_top_sender_t *sender, float x, float y);

/**
 * What the numbers of the pixels mean from the next image on; NULL says nothing any more.
 */
tdshm_status_t tdshm_top_sender_set_colour(struct tdshm_top_sender_t *sender, const struct tdshm_colour_t *colour);

/**
 * Frees the sender: receivers are told that it left, and a draft is thrown away.
 *
 * Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread is in a long call: then it is not freed.
 */
tdshm_status_t tdshm_top_sender_free(struct tdshm_top_sender_t *sender);

/**
 * Leaves: tells the receivers and frees the name. The handle stays, to be freed. `alone` as in tdshm_sender_detach.
 */
tdshm_status_t tdshm_top_sender_detach(struct tdshm_top_sender_t *sender, int32_t *alone);

/**
 * Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
 */
tdshm_status_t tdshm_top_sender_name(struct tdshm_top_sender_t *sender,
                                     char *buffer,
                                     size_t capacity,
                                     size_t *needed);

/**
 * What has happened to the segment so far.
 */
tdshm_status_t tdshm_top_sender_stats(struct tdshm_top_sender_t *sender, struct tdshm_stats_t *stats);

/**
 * Frames sent so far.
 */
tdshm_status_t tdshm_top_sender_frames(struct tdshm_top_sender_t *sender, uint64_t *frames);

/**
 * Bytes of the largest block that fits without moving to a larger segment.
 */
tdshm_status_t tdshm_top_sender_room(struct tdshm_top_sender_t *sender, size_t *room_bytes);

/**
 * Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
 */
tdshm_status_t tdshm_top_sender_set_lock_limit(struct tdshm_top_sender_t *sender, int64_t limit_ns);

/**
 * Opens the segment `name`, which is UTF-8 on every system, and whose sender may come later: that nobody sends yet is no
 * error. `options` may be NULL. What comes of it is freed with tdshm_top_receiver_free.
 */
tdshm_status_t tdshm_top_receiver_open(const char *name,
                                       size_t name_bytes,
                                       const struct tdshm_receiver_options_t *options,
                                       struct tdshm_top_receiver_t **receiver);

/**
 * Frees the receiver, the memory of its last frame, and a view that this thread has through it.
 *
 * Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread has a view or waits: then it is not freed.
 */
tdshm_status_t tdshm_top_receiver_free(struct tdshm_top_receiver_t *receiver);

/**
 * Copies the next frame that differs from the last one into the receiver's own memory, waiting for it, and for its sender,
 * `timeout_ns` nanoseconds at most; 0 only looks. `frame`, which may be NULL, is told what came.
 *
 * A sender of this library wakes it; a foreign one is looked at once a millisecond, without the lock. Other threads are
 * refused this handle with TDSHM_ERR_IN_USE while it waits.
 *
 * TDSHM_NO_NEW_FRAME where none came. After an error `frame` is untouched, and the last good frame is still there.
 */
tdshm_status_t tdshm_top_receiver_next(struct tdshm_top_receiver_t *receiver,
                                       int64_t timeout_ns,
                                       struct tdshm_top_frame_t *frame);

/**
 * Copies the newest frame into the receiver's own memory, whether or not it differs from the last. `frame` may be NULL.
 *
 * TDSHM_NOTHING_YET while there is no sender, or it has not written yet.
 */
tdshm_status_t tdshm_top_receiver_read(struct tdshm_top_receiver_t *receiver,
                                       struct tdshm_top_frame_t *frame);

/**
 * The last good frame that tdshm_top_receiver_next or _read took. TDSHM_NOTHING_YET before the first.
 *
 * Its pointers are valid until the next call of _next, _read or _free with this handle.
 */
tdshm_status_t tdshm_top_receiver_frame(struct tdshm_top_receiver_t *receiver, struct tdshm_top_frame_t *frame);

/**
 * Copies the newest image into `pixels`, a buffer of `size_bytes` bytes, with `rows` saying which row comes first there and
 * `stride_bytes` how far rows are apart (0: right behind one another). What lies between rows is not touched. `frame`, which may
 * be NULL, is told its measures; its `pixels` is NULL, and its rows are those of the buffer.
 *
 * TDSHM_NOTHING_YET as tdshm_top_receiver_read. TDSHM_ERR_BLOCK where the buffer is too short: nothing has been copied.
 */
tdshm_status_t tdshm_top_receiver_read_into(struct tdshm_top_receiver_t *receiver,
                                            void *pixels,
                                            size_t size_bytes,
                                            size_t stride_bytes,
                                            tdshm_rows_t rows,
                                            struct tdshm_top_frame_t *frame);

/**
 * Converts the last good frame to red, green, blue, alpha of `channel_type` (TDSHM_RGBA8, TDSHM_RGBA16, TDSHM_RGBA32F) in `target`, a
 * buffer of `size_bytes` bytes; `rows`, `stride_bytes` and `encoding` as in tdshm_convert. Under no lock.
 *
 * TDSHM_NOTHING_YET before the first frame, TDSHM_ERR_FORMAT, TDSHM_ERR_BUFFER.
 */
tdshm_status_t tdshm_top_receiver_convert(struct tdshm_top_receiver_t *receiver,
                                          tdshm_channel_type_t channel_type,
                                          void *target,
                                          size_t size_bytes,
                                          size_t stride_bytes,
                                          tdshm_rows_t rows,
                                          tdshm_encoding_t encoding);

/**
 * Lends the newest frame where it lies, under the lock: no copy. Its pointers are valid until tdshm_top_receiver_end_view.
 * Everybody else waits until then, TouchDesigner included, so be quick. Its number, age and what was missed are not known.
 *
 * TDSHM_NOTHING_YET, with nothing locked, while there is no sender, or it has not written yet. TDSHM_ERR_ONLY_OBSERVED where this is
 * an observer.
 */
tdshm_status_t tdshm_top_receiver_view(struct tdshm_top_receiver_t *receiver,
                                       struct tdshm_top_frame_t *frame);

/**
 * Ends tdshm_top_receiver_view: lets go of the lock.
 *
 * TDSHM_ERR_NOT_LOCKED where there is no view, TDSHM_ERR_WRONG_THREAD where another thread has it.
 */
tdshm_status_t tdshm_top_receiver_end_view(struct tdshm_top_receiver_t *receiver);

/**
 * The state that TouchDesigner's own class would report after the last look, as tdshm_receiver_state.
 */
tdshm_status_t tdshm_top_receiver_state(struct tdshm_top_receiver_t *receiver, tdshm_status_t *state);

/**
 * Whether there was a sender at the last look: TDSHM_ATTACHED_....
 */
tdshm_status_t tdshm_top_receiver_attached(struct tdshm_top_receiver_t *receiver, tdshm_attached_t *attached);

/**
 * Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
 */
tdshm_status_t tdshm_top_receiver_name(struct tdshm_top_receiver_t *receiver,
                                       char *buffer,
                                       size_t capacity,
                                       size_t *needed);

/**
 * What has happened to the segment so far.
 */
tdshm_status_t tdshm_top_receiver_stats(struct tdshm_top_receiver_t *receiver, struct tdshm_stats_t *stats);

/**
 * Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
 */
tdshm_status_t tdshm_top_receiver_set_lock_limit(struct tdshm_top_receiver_t *receiver, int64_t limit_ns);

/**
 * Changes how long tdshm_top_receiver_next looks without a pause before it sleeps, in nanoseconds.
 */
tdshm_status_t tdshm_top_receiver_set_spin(struct tdshm_top_receiver_t *receiver, int64_t spin_ns);

/**
 * Lets go of everything that is open, so that the sender neither waits for this receiver nor keeps its objects for it. The
 * last frame stays; the next look opens it again.
 */
tdshm_status_t tdshm_top_receiver_close(struct tdshm_top_receiver_t *receiver);

/**
 * The name of a format, `R8G8B8A8_UNORM`; NULL for a number that is not in the table. Valid for ever.
 */
const char *tdshm_format_name(tdshm_format_t format);

/**
 * What is known of a format. TDSHM_NOT_FOUND for a number that is not in the table.
 */
tdshm_status_t tdshm_format_info(tdshm_format_t format, struct tdshm_format_info_t *info);

/**
 * The format with that name, long (`R8G8B8A8_UNORM`) or short (`rgba8`), in whatever case. TDSHM_NOT_FOUND where there is none.
 */
tdshm_status_t tdshm_format_from_name(const char *text,
                                      size_t text_bytes,
                                      tdshm_format_t *format);

/**
 * The format at `index` of the table, from 0. TDSHM_NOT_FOUND behind its end.
 */
tdshm_status_t tdshm_format_at(size_t index, tdshm_format_t *format);

/**
 * Converts an image to red, green, blue, alpha.
 *
 * TDSHM_ERR_FORMAT for a format that is not in the table; TDSHM_ERR_BUFFER for buffers that are too short, or rows that would overlap. Then
 * nothing was converted.
 */
tdshm_status_t tdshm_convert(const struct tdshm_convert_t *image);

/**
 * Looks at all segments that can be found here, without taking part. What comes of it is freed with tdshm_list_free.
 *
 * Windows: those of this session. macOS: those whose names the directory has, which are names of 3 bytes and more.
 */
tdshm_status_t tdshm_list(struct tdshm_list_t **list);

/**
 * Looks at one segment: a list of one. TDSHM_ERR_DOES_NOT_EXIST where there is none of that name. Freed with tdshm_list_free.
 */
tdshm_status_t tdshm_inspect(const char *name,
                             size_t name_bytes,
                             struct tdshm_list_t **list);

/**
 * How many segments the list has.
 */
tdshm_status_t tdshm_list_count(struct tdshm_list_t *list, size_t *count);

/**
 * What was found of the segment at `index`, from 0. TDSHM_NOT_FOUND behind the end.
 */
tdshm_status_t tdshm_list_at(struct tdshm_list_t *list, size_t index, struct tdshm_segment_info_t *info);

/**
 * A receiver of the segment at `index`, from 0. TDSHM_NOT_FOUND behind the end of either.
 */
tdshm_status_t tdshm_list_receiver(struct tdshm_list_t *list,
                                   size_t index,
                                   size_t receiver,
                                   struct tdshm_receiver_info_t *info);

/**
 * The name of a channel of the segment at `index`, both from 0; valid as long as the list. TDSHM_NOT_FOUND behind the end of either,
 * and where no names were sent.
 */
tdshm_status_t tdshm_list_channel_name(struct tdshm_list_t *list,
                                       size_t index,
                                       size_t channel,
                                       struct tdshm_text_t *name);

/**
 * Frees the list and its texts. Freeing NULL does nothing.
 */
tdshm_status_t tdshm_list_free(struct tdshm_list_t *list);

/**
 * Removes what dead senders left, and locks that nobody has open: of the `num_names` short names at `names`, or of all names where
 * that is NULL. With `dry_run` other than 0 it only says what it would do. What comes of it is freed with tdshm_swept_free.
 *
 * Windows: there is nothing to remove; objects go with the last program that has them open.
 */
tdshm_status_t tdshm_clean(const struct tdshm_text_t *names,
                           size_t num_names,
                           int32_t dry_run,
                           struct tdshm_swept_t **swept);

/**
 * How many objects were looked at.
 */
tdshm_status_t tdshm_swept_count(struct tdshm_swept_t *swept, size_t *count);

/**
 * What became of the object at `index`, from 0. TDSHM_NOT_FOUND behind the end.
 */
tdshm_status_t tdshm_swept_at(struct tdshm_swept_t *swept, size_t index, struct tdshm_swept_info_t *info);

/**
 * Frees what tdshm_clean said. Freeing NULL does nothing.
 */
tdshm_status_t tdshm_swept_free(struct tdshm_swept_t *swept);

/**
 * Reads all fields of all objects of a segment and compares them with the protocol: what `tdshm doctor` shows. Freed with
 * tdshm_examination_free. TDSHM_ERR_DOES_NOT_EXIST where there is no such segment.
 */
tdshm_status_t tdshm_examine(const char *name,
                             size_t name_bytes,
                             struct tdshm_examination_t **examination);

/**
 * How many fields there are, of all objects together.
 */
tdshm_status_t tdshm_examination_count(struct tdshm_examination_t *examination, size_t *count);

/**
 * The field at `index`, from 0, object by object. TDSHM_NOT_FOUND behind the end.
 */
tdshm_status_t tdshm_examination_at(struct tdshm_examination_t *examination,
                                    size_t index,
                                    struct tdshm_field_info_t *info);

/**
 * What is out of the ordinary, at `index` from 0: a sentence, valid as long as the examination, and whether it breaks the protocol
 * (`is_breach` 1, which may be NULL). TDSHM_NOT_FOUND behind the end.
 */
tdshm_status_t tdshm_examination_deviation(struct tdshm_examination_t *examination,
                                           size_t index,
                                           struct tdshm_text_t *text,
                                           int32_t *is_breach);

/**
 * Frees the examination and its texts. Freeing NULL does nothing.
 */
tdshm_status_t tdshm_examination_free(struct tdshm_examination_t *examination);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TDSHM_H */
