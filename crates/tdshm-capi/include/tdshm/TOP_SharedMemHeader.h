/* The header of an image block, as programs that fill or read one by hand want it (docs/protocol.md, section 9.1).
 *
 * C++17, written from the description of the protocol. */
#ifndef TDSHM_TOP_SHARED_MEM_HEADER_H
#define TDSHM_TOP_SHARED_MEM_HEADER_H

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "tdshm needs C++17: -std=c++17, with Visual C++ /std:c++17, with CMake set(CMAKE_CXX_STANDARD 17)"
#endif

#include "tdshm.h"

#include <cstddef>
#include <cstdint>
#include <type_traits>

/** What `magicNumber` holds. */
constexpr std::uint32_t TOP_SHARED_MEM_MAGIC_NUMBER = static_cast<std::uint32_t>(TDSHM_TOP_MAGIC);
/** What `version` holds in a block without the fields of colour: what is sent unless those are meant. */
constexpr std::int32_t TOP_SHARED_MEM_VERSION_NUMBER = TDSHM_TOP_VERSION;

/** Lies at the start of the memory of a Shared Mem In or Out TOP. What it says is what its sender says: the member
 *  functions believe it, so look at the numbers first, or read with tdshm::top_receiver, which checks them all.
 *
 *  The pixels are rows without gaps, the bottom row first, and begin `dataOffset` bytes from here, wherever this
 *  structure ends: a sender of version 1 may have put them at 48. */
struct TOP_SharedMemHeader {
    /** TOP_SHARED_MEM_MAGIC_NUMBER. */
    std::uint32_t magicNumber;
    /** TOP_SHARED_MEM_VERSION_NUMBER, or 2 where the fields of colour hold something. */
    std::int32_t version;
    /** Pixels in a row. */
    std::int32_t width;
    /** Rows. */
    std::int32_t height;
    /** Pixel aspect, 1 for square pixels. */
    float aspectx;
    /** Pixel aspect, 1 for square pixels. */
    float aspecty;
    /** Vulkan's number of the format, or one of TouchDesigner's own: TDSHM_PIXEL_FORMAT_... */
    std::uint32_t pixelFormat;
    /** Nothing. */
    std::uint32_t padding;
    /** Bytes of the pixels, this header not counted. */
    std::int64_t dataSize;
    /** Where the pixels begin, in bytes from the start of the block. The sender sets it, see calcDataOffset. */
    std::int32_t dataOffset;
    /** Version 2: which primaries, 2 = Rec.709 and sRGB. */
    std::uint32_t gamutPrimaries;
    /** Version 2: 0 = linear, 1 = sRGB. */
    std::uint32_t transfer;
    /** Nothing. */
    std::uint32_t end;

    /** The pixels. */
    void *getImage() noexcept
    {
        return reinterpret_cast<unsigned char *>(this) + dataOffset;
    }

    /** The same, to be read. */
    const void *getImage() const noexcept
    {
        return reinterpret_cast<const unsigned char *>(this) + dataOffset;
    }

    /** For a sender: lets the pixels begin right behind this header, and says where that is. */
    std::int32_t calcDataOffset() noexcept
    {
        dataOffset = static_cast<std::int32_t>(sizeof(TOP_SharedMemHeader));
        return dataOffset;
    }
};

static_assert(std::is_standard_layout_v<TOP_SharedMemHeader> && std::is_trivially_copyable_v<TOP_SharedMemHeader>);
static_assert(sizeof(TOP_SharedMemHeader) == 56 && alignof(TOP_SharedMemHeader) <= 8);
static_assert(offsetof(TOP_SharedMemHeader, magicNumber) == 0);
static_assert(offsetof(TOP_SharedMemHeader, version) == 4);
static_assert(offsetof(TOP_SharedMemHeader, width) == 8);
static_assert(offsetof(TOP_SharedMemHeader, height) == 12);
static_assert(offsetof(TOP_SharedMemHeader, aspectx) == 16);
static_assert(offsetof(TOP_SharedMemHeader, aspecty) == 20);
static_assert(offsetof(TOP_SharedMemHeader, pixelFormat) == 24);
static_assert(offsetof(TOP_SharedMemHeader, dataSize) == 32);
static_assert(offsetof(TOP_SharedMemHeader, dataOffset) == 40);
static_assert(offsetof(TOP_SharedMemHeader, gamutPrimaries) == 44);
static_assert(offsetof(TOP_SharedMemHeader, transfer) == 48);

#endif
