/* The header of a channel block, as programs that fill or read one by hand want it (docs/protocol.md, section 8).
 *
 * C++17, written from the description of the protocol. */
#ifndef TDSHM_CHOP_SHARED_MEM_HEADER_H
#define TDSHM_CHOP_SHARED_MEM_HEADER_H

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "tdshm needs C++17: -std=c++17, with Visual C++ /std:c++17, with CMake set(CMAKE_CXX_STANDARD 17)"
#endif

#include "tdshm.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

/** What `magicNumber` holds. */
constexpr std::int32_t CHOP_SHARED_MEM_MAGIC_NUMBER = TDSHM_CHOP_MAGIC;
/** What `version` holds. */
constexpr std::int32_t CHOP_SHARED_MEM_VERSION_NUMBER = TDSHM_CHOP_VERSION;

/** Lies at the start of the memory of a Shared Mem In or Out CHOP. What it says is what its sender says: the member
 *  functions believe it, so look at the numbers first, or read with tdshm::chop_receiver, which checks them all. */
struct CHOP_SharedMemHeader {
    /** CHOP_SHARED_MEM_MAGIC_NUMBER. */
    std::int32_t magicNumber;
    /** CHOP_SHARED_MEM_VERSION_NUMBER. */
    std::int32_t version;
    /** Bytes of the whole block, this header included. */
    std::int32_t size;
    /** Channels. */
    std::int32_t numChans;
    /** Samples in each channel. */
    std::int32_t length;
    /** Samples per second, in Hz. */
    float sampleRate;
    /** 1: the names follow. 0: they do not, and the receiver keeps those that it had. */
    std::int32_t namesSent;
    /** Where the samples begin, in bytes from the start of the block: a multiple of 4, usually the size of this header. */
    std::int32_t channelDataOffset;
    /** Where the names begin, in bytes from the start of the block, usually right behind the samples. */
    std::int32_t nameDataOffset;

    /** The samples: all of channel 0, then all of channel 1, and so on: numChans * length of them. */
    float *getChannelData() noexcept
    {
        return reinterpret_cast<float *>(reinterpret_cast<unsigned char *>(this) + channelDataOffset);
    }

    /** The same, to be read. */
    const float *getChannelData() const noexcept
    {
        return reinterpret_cast<const float *>(reinterpret_cast<const unsigned char *>(this) + channelDataOffset);
    }

    /** The names, one after the other, each with a NUL behind it: numChans of them. */
    char *getNameData() noexcept
    {
        return reinterpret_cast<char *>(this) + nameDataOffset;
    }

    /** The same, to be read. */
    const char *getNameData() const noexcept
    {
        return reinterpret_cast<const char *>(this) + nameDataOffset;
    }
};

static_assert(std::is_standard_layout_v<CHOP_SharedMemHeader> && std::is_trivially_copyable_v<CHOP_SharedMemHeader>);
static_assert(sizeof(CHOP_SharedMemHeader) == 36 && alignof(CHOP_SharedMemHeader) == 4);
static_assert(offsetof(CHOP_SharedMemHeader, magicNumber) == 0);
static_assert(offsetof(CHOP_SharedMemHeader, version) == 4);
static_assert(offsetof(CHOP_SharedMemHeader, size) == 8);
static_assert(offsetof(CHOP_SharedMemHeader, numChans) == 12);
static_assert(offsetof(CHOP_SharedMemHeader, length) == 16);
static_assert(offsetof(CHOP_SharedMemHeader, sampleRate) == 20);
static_assert(offsetof(CHOP_SharedMemHeader, namesSent) == 24);
static_assert(offsetof(CHOP_SharedMemHeader, channelDataOffset) == 28);
static_assert(offsetof(CHOP_SharedMemHeader, nameDataOffset) == 32);

#endif
