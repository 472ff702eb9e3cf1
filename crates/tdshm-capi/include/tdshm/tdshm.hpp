/* tdshm: shared memory with TouchDesigner, and with any other program, from C++17. Header only, over the C library.
 *
 *     #include <tdshm/tdshm.hpp>
 *
 *     tdshm::chop_sender out("mocap");
 *     out.send({0.5f, 1.5f}, 1);                     // two channels of one sample
 *
 *     tdshm::chop_receiver in("mocap");              // its sender may come later
 *     while (auto frame = in.next(std::chrono::seconds(5))) {
 *         float tx = frame.channel(0).back();
 *     }
 *
 * Objects are moved, never copied. What a function could not do it throws as a tdshm::error; give it a std::error_code at the
 * end, and it puts the number there instead and throws nothing (tdshm::last_error() has the sentence). Where the compiler
 * knows no exceptions (or TDSHM_NO_EXCEPTIONS is defined) an error without a std::error_code ends the program. What is a normal course of events (no new frame, no sender yet) is
 * a value. Memory that runs out while C++ itself allocates throws std::bad_alloc.
 *
 * Text is UTF-8 on every system. Times are of std::chrono. An object may be used by any thread, one call after the other; a lock
 * or a view belongs to the thread that took it.
 */
#ifndef TDSHM_HPP
#define TDSHM_HPP

#include "base.hpp"
#include "channels.hpp"
#include "discovery.hpp"
#include "images.hpp"
#include "segments.hpp"

#endif
