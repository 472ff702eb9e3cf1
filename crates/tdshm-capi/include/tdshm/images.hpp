/* Of tdshm.hpp: images, pixel formats, and pixels as RGBA. */
#ifndef TDSHM_IMAGES_HPP
#define TDSHM_IMAGES_HPP

#include "base.hpp"

namespace tdshm {

/** What a pixel is: the numbers that TouchDesigner writes, which are Vulkan's, and some of its own. */
enum class format : std::uint32_t {
    /** None, or one that is not known. */
    none = 0,
    r8_unorm = TDSHM_FORMAT_R8_UNORM,
    r8g8_unorm = TDSHM_FORMAT_R8G8_UNORM,
    r8g8b8a8_unorm = TDSHM_FORMAT_R8G8B8A8_UNORM,
    r8g8b8a8_srgb = TDSHM_FORMAT_R8G8B8A8_SRGB,
    b8g8r8a8_unorm = TDSHM_FORMAT_B8G8R8A8_UNORM,
    b8g8r8a8_srgb = TDSHM_FORMAT_B8G8R8A8_SRGB,
    a2b10g10r10_unorm_pack32 = TDSHM_FORMAT_A2B10G10R10_UNORM_PACK32,
    r16_unorm = TDSHM_FORMAT_R16_UNORM,
    r16_sfloat = TDSHM_FORMAT_R16_SFLOAT,
    r16g16_unorm = TDSHM_FORMAT_R16G16_UNORM,
    r16g16_sfloat = TDSHM_FORMAT_R16G16_SFLOAT,
    r16g16b16a16_unorm = TDSHM_FORMAT_R16G16B16A16_UNORM,
    r16g16b16a16_sfloat = TDSHM_FORMAT_R16G16B16A16_SFLOAT,
    r32_sfloat = TDSHM_FORMAT_R32_SFLOAT,
    r32g32_sfloat = TDSHM_FORMAT_R32G32_SFLOAT,
    r32g32b32a32_sfloat = TDSHM_FORMAT_R32G32B32A32_SFLOAT,
    b10g11r11_ufloat_pack32 = TDSHM_FORMAT_B10G11R11_UFLOAT_PACK32,
    a8_unorm = TDSHM_FORMAT_A8_UNORM,
    a16_unorm = TDSHM_FORMAT_A16_UNORM,
    a16_sfloat = TDSHM_FORMAT_A16_SFLOAT,
    a32_sfloat = TDSHM_FORMAT_A32_SFLOAT,
    r8a8_unorm = TDSHM_FORMAT_R8A8_UNORM,
    r16a16_unorm = TDSHM_FORMAT_R16A16_UNORM,
    r16a16_sfloat = TDSHM_FORMAT_R16A16_SFLOAT,
    r32a32_sfloat = TDSHM_FORMAT_R32A32_SFLOAT,
};

/** What is known of a format. */
struct format_info {
    std::size_t bytes_per_pixel = 0;
    /** Of its widest number. */
    unsigned bits = 0;
    bool is_float = false;
    /** Its numbers are stored as sRGB. */
    bool is_srgb = false;
    /** One number for red, green and blue. */
    bool is_mono = false;
    bool has_alpha = false;
};

/** The name of a format, R8G8B8A8_UNORM; empty for a number that is not in the table. */
inline std::string_view name_of(format format)
{
    const char *name = tdshm_format_name(static_cast<std::uint32_t>(format));
    return name ? std::string_view(name) : std::string_view();
}

/** What is known of a format; nothing of a number that is not in the table. */
inline std::optional<format_info> info_of(format format)
{
    auto found = detail::sized<tdshm_format_info_t>();
    if (tdshm_format_info(static_cast<std::uint32_t>(format), &found) != TDSHM_OK) {
        return std::nullopt;
    }
    format_info info;
    info.bytes_per_pixel = found.bytes_per_pixel;
    info.bits = found.bits;
    info.is_float = found.is_float != 0;
    info.is_srgb = found.is_srgb != 0;
    info.is_mono = found.is_mono != 0;
    info.has_alpha = found.has_alpha != 0;
    return info;
}

/** The format with that name, long (R8G8B8A8_UNORM) or short (rgba8), in whatever case. */
inline std::optional<format> format_of(std::string_view name)
{
    tdshm_format_t found = 0;
    const auto status = tdshm_format_from_name(name.data(), name.size(), &found);
    return status == TDSHM_OK ? std::optional(static_cast<format>(found)) : std::nullopt;
}

/** Which row of an image lies first. */
enum class rows : std::int32_t {
    /** The top row, as in picture files and cameras. */
    top_first = TDSHM_ROWS_TOP_FIRST,
    /** The bottom row, as in TouchDesigner and OpenGL. */
    bottom_first = TDSHM_ROWS_BOTTOM_FIRST,
};

/** Which header an image has. */
enum class header : std::int32_t {
    /** Version 1; version 2 where a colour is given. */
    usual = TDSHM_HEADER_DEFAULT,
    v1 = TDSHM_HEADER_V1,
    v2 = TDSHM_HEADER_V2,
    /** That of TouchDesigner before 2022. */
    legacy = TDSHM_HEADER_LEGACY,
};

/** What the numbers of an image mean, in the block's own numbers. */
struct colour {
    /** 2: Rec.709, which sRGB has too. */
    std::uint32_t primaries = 2;
    /** 0: linear. 1: sRGB. */
    std::uint32_t transfer = 0;
};

/** What is to come of a conversion: four numbers a pixel. */
enum class rgba : std::int32_t {
    /** From 0 to 255. */
    u8 = TDSHM_RGBA8,
    /** From 0 to 65535. */
    u16 = TDSHM_RGBA16,
    /** Floats: unorm is from 0 to 1. */
    f32 = TDSHM_RGBA32F,
};

/** What numbers are, or shall be. */
enum class encoding : std::int32_t {
    /** Of a source: what its format says. Of a target: what the source has. */
    usual = TDSHM_ENCODING_DEFAULT,
    linear = TDSHM_ENCODING_LINEAR,
    srgb = TDSHM_ENCODING_SRGB,
};

/** An image of the caller's, as it lies. */
struct image {
    /** What a pixel is. */
    tdshm::format format = format::none;
    /** Pixels in a row, 1 to 32768. */
    std::uint32_t width = 0;
    /** Rows, 1 to 32768. */
    std::uint32_t height = 0;
    /** Which row lies first. There is no default that is right for everybody: look where your pixels come from. */
    tdshm::rows rows = rows::top_first;
    /** All bytes. */
    span<const std::byte> bytes;
    /** Bytes from the start of a row to that of the next; 0 where rows lie right behind one another. */
    std::size_t stride_bytes = 0;
    /** The aspect of a pixel, both 0 for the sender's. */
    float aspect_x = 0;
    float aspect_y = 0;
};

/** The bytes of whatever has data() and size(), for image::bytes. */
template <class C> span<const std::byte> bytes_of(const C &container) noexcept
{
    using element = std::remove_pointer_t<decltype(std::data(container))>;
    static_assert(std::is_trivially_copyable_v<element>);
    return {reinterpret_cast<const std::byte *>(std::data(container)), std::size(container) * sizeof(element)};
}

/** The same, to be written: for top_receiver::read_into. */
template <class C> span<std::byte> writable_bytes_of(C &container) noexcept
{
    using element = std::remove_pointer_t<decltype(std::data(container))>;
    static_assert(std::is_trivially_copyable_v<element> && !std::is_const_v<element>);
    return {reinterpret_cast<std::byte *>(std::data(container)), std::size(container) * sizeof(element)};
}

/** What a sender of images can be told when it is created. */
struct top_sender_options : sender_options {
    /** Which header images have. */
    tdshm::header header = header::usual;
    /** Which row is to lie first in the segment; TouchDesigner's is the bottom row. */
    std::optional<tdshm::rows> stored_rows;
    /** Places for the data beside one another: 0 leaves it to the sender, 2 to 4 are so many, TDSHM_NO_SLOTS none. */
    int slots = 0;
    /** Room for images of this format... */
    tdshm::format room_format = format::none;
    /** ... this width... */
    std::uint32_t room_width = 0;
    /** ... and this height. */
    std::uint32_t room_height = 0;
    /** The aspect of a pixel, both 0 for 1 and 1. */
    float aspect_x = 0;
    float aspect_y = 0;
    /** What the numbers mean, for version 2 of the header. */
    std::optional<tdshm::colour> colour;
};

/** An image that is drawn in place, and thrown away unless it is committed. */
class top_draft {
public:
    top_draft() noexcept = default;
    top_draft(top_draft &&other) noexcept { *this = std::move(other); }
    top_draft &operator=(top_draft &&other) noexcept
    {
        if (this != &other) {
            discard();
            sender_ = std::exchange(other.sender_, nullptr);
            draft_ = std::exchange(other.draft_, {});
        }
        return *this;
    }
    ~top_draft() { discard(); }

    explicit operator bool() const noexcept { return sender_ != nullptr; }
    /** Where its pixels go, with whatever lies there. */
    span<std::byte> bytes() const noexcept
    {
        return {static_cast<std::byte *>(draft_.pixels), static_cast<std::size_t>(draft_.size_bytes)};
    }
    /** Bytes from the start of a row to that of the next, which is what a row has. */
    std::size_t stride_bytes() const noexcept { return static_cast<std::size_t>(draft_.stride_bytes); }
    /** Which row lies first. */
    tdshm::rows rows() const noexcept { return static_cast<tdshm::rows>(draft_.rows); }
    /** Where a row goes, counted from the top. */
    span<std::byte> row(std::size_t from_top) const noexcept
    {
        const std::size_t stride = stride_bytes();
        const std::size_t count = stride == 0 ? 0 : bytes().size() / stride;
        if (from_top >= count) {
            return {};
        }
        const std::size_t at = rows() == tdshm::rows::top_first ? from_top : count - 1 - from_top;
        return bytes().subspan(at * stride, stride);
    }
    /** Sends it. */
    void commit(on_error errors = {})
    {
        if (sender_) {
            draft_ = {};
            errors.passes(tdshm_top_sender_commit(std::exchange(sender_, nullptr)));
        }
    }
    /** Throws it away. */
    void discard() noexcept
    {
        if (sender_) {
            draft_ = {};
            tdshm_top_sender_discard(std::exchange(sender_, nullptr));
        }
    }

private:
    friend class top_sender;
    tdshm_top_sender_t *sender_ = nullptr;
    tdshm_draft_t draft_ = {};
};

/** Writes images into a segment of its own: a Shared Mem Out TOP. When it goes, receivers are told that it left. */
class top_sender {
public:
    /** Creates it under a short name. */
    explicit top_sender(std::string_view name, const top_sender_options &options = {}, on_error errors = {})
    {
        auto given = detail::sized<tdshm_top_sender_options_t>();
        given.mode = options.mode;
        given.take_over = options.take_over;
        given.room_ceiling_bytes = options.room_ceiling_bytes;
        given.lock_limit_ns = detail::option(options.lock_limit);
        given.header = static_cast<std::int32_t>(options.header);
        given.stored_rows = options.stored_rows ? static_cast<std::int32_t>(*options.stored_rows) : TDSHM_ROWS_DEFAULT;
        given.slots = options.slots;
        given.room_format = static_cast<std::uint32_t>(options.room_format);
        given.room_width = options.room_width;
        given.room_height = options.room_height;
        given.aspect_x = options.aspect_x;
        given.aspect_y = options.aspect_y;
        if (options.colour) {
            given.has_colour = 1;
            given.colour.primaries = options.colour->primaries;
            given.colour.transfer = options.colour->transfer;
        }
        tdshm_top_sender_t *handle = nullptr;
        errors.passes(tdshm_top_sender_create(name.data(), name.size(), &given, &handle));
        handle_.reset(handle);
    }
    /** Sends one image. Size and format may change from one to the next. */
    void send(const image &image, on_error errors = {})
    {
        const auto pixels = given(image);
        errors.passes(tdshm_top_sender_send(handle_.get(), &pixels));
    }
    /** Sends an image again that is to stay. Whether it had to: false where it lies there already. */
    bool keep(const image &image, on_error errors = {})
    {
        const auto pixels = given(image);
        return errors.done(tdshm_top_sender_keep(handle_.get(), &pixels));
    }
    /** Begins an image that is drawn in place. Nobody reads there, and no lock is held: take your time. */
    top_draft begin(format format, std::uint32_t width, std::uint32_t height, on_error errors = {})
    {
        top_draft draft;
        auto found = detail::sized<tdshm_draft_t>();
        const auto number = static_cast<std::uint32_t>(format);
        if (errors.done(tdshm_top_sender_begin(handle_.get(), number, width, height, &found))) {
            draft.sender_ = handle_.get();
            draft.draft_ = found;
        }
        return draft;
    }
    /** The aspect of a pixel from the next image on. */
    void set_aspect(float x, float y, on_error errors = {})
    {
        errors.passes(tdshm_top_sender_set_aspect(handle_.get(), x, y));
    }
    /** What the numbers of the pixels mean from the next image on; nothing says nothing any more. */
    void set_colour(std::optional<colour> colour, on_error errors = {})
    {
        tdshm_colour_t given = {};
        if (colour) {
            given.primaries = colour->primaries;
            given.transfer = colour->transfer;
        }
        errors.passes(tdshm_top_sender_set_colour(handle_.get(), colour ? &given : nullptr));
    }
    /** Leaves. Whether nobody had it open any more, as far as is known. */
    bool detach(on_error errors = {})
    {
        std::int32_t alone = 0;
        return errors.passes(tdshm_top_sender_detach(handle_.get(), &alone)) && alone != 0;
    }
    /** Images sent so far. */
    std::uint64_t frames(on_error errors = {}) const
    {
        std::uint64_t frames = 0;
        errors.passes(tdshm_top_sender_frames(handle_.get(), &frames));
        return frames;
    }
    /** Bytes of the largest block that fits without moving to a larger segment. */
    std::size_t room_bytes(on_error errors = {}) const
    {
        std::size_t bytes = 0;
        errors.passes(tdshm_top_sender_room(handle_.get(), &bytes));
        return bytes;
    }
    /** Changes how long is waited for a lock. */
    void set_lock_limit(std::chrono::nanoseconds limit, on_error errors = {})
    {
        errors.passes(tdshm_top_sender_set_lock_limit(handle_.get(), limit.count()));
    }
    /** The short name. */
    std::string name(on_error errors = {}) const
    {
        return detail::copied(errors, [this](auto... to) { return tdshm_top_sender_name(handle_.get(), to...); });
    }
    /** What has happened so far. */
    tdshm::stats stats(on_error errors = {}) const
    {
        auto found = detail::sized<tdshm_stats_t>();
        errors.passes(tdshm_top_sender_stats(handle_.get(), &found));
        return detail::from(found);
    }
    /** The C library's handle. */
    tdshm_top_sender_t *handle() const noexcept { return handle_.get(); }

private:
    static tdshm_pixels_t given(const image &image) noexcept
    {
        auto pixels = detail::sized<tdshm_pixels_t>();
        pixels.format = static_cast<std::uint32_t>(image.format);
        pixels.width = image.width;
        pixels.height = image.height;
        pixels.rows = static_cast<std::int32_t>(image.rows);
        pixels.aspect_x = image.aspect_x;
        pixels.aspect_y = image.aspect_y;
        pixels.stride_bytes = image.stride_bytes;
        pixels.data = image.bytes.data();
        pixels.size_bytes = image.bytes.size();
        return pixels;
    }
    detail::owned<tdshm_top_sender_t> handle_;
};

/** An image in the receiver's memory: valid until the receiver is asked for another one, or goes. */
class top_frame {
public:
    top_frame() noexcept = default;
    /** Whether there is one. */
    explicit operator bool() const noexcept { return receiver_ != nullptr; }
    std::uint32_t width() const noexcept { return frame_.width; }
    std::uint32_t height() const noexcept { return frame_.height; }
    /** What a pixel is; of a legacy block its twin, or none. */
    tdshm::format format() const noexcept { return static_cast<tdshm::format>(frame_.format); }
    /** Bytes of a pixel; 0 where the format is not known. */
    std::size_t bytes_per_pixel() const noexcept { return frame_.bytes_per_pixel; }
    /** Which row lies first. */
    tdshm::rows rows() const noexcept { return static_cast<tdshm::rows>(frame_.rows); }
    /** Bytes of a row, which is also how far the next one is; 0 where the format is not known. */
    std::size_t row_bytes() const noexcept { return static_cast<std::size_t>(frame_.row_bytes); }
    /** All pixels; none where they were copied elsewhere. */
    span<const std::byte> bytes() const noexcept
    {
        const auto size = frame_.pixels ? static_cast<std::size_t>(frame_.size_bytes) : 0;
        return {static_cast<const std::byte *>(frame_.pixels), size};
    }
    /** One row, counted from the top. */
    span<const std::byte> row(std::size_t from_top) const noexcept
    {
        if (from_top >= height() || bytes().empty() || row_bytes() == 0) {
            return {};
        }
        const std::size_t at = rows() == tdshm::rows::top_first ? from_top : height() - 1 - from_top;
        return bytes().subspan(at * row_bytes(), row_bytes());
    }
    /** Which header the block has. */
    tdshm::header header() const noexcept { return static_cast<tdshm::header>(frame_.header); }
    float aspect_x() const noexcept { return frame_.aspect_x; }
    float aspect_y() const noexcept { return frame_.aspect_y; }
    /** What the block says that its numbers mean. */
    std::optional<tdshm::colour> colour() const noexcept
    {
        if (frame_.has_colour == 0) {
            return std::nullopt;
        }
        tdshm::colour colour;
        colour.primaries = frame_.colour.primaries;
        colour.transfer = frame_.colour.transfer;
        return colour;
    }
    /** The number that the sender gave it; a foreign one gives none. */
    std::optional<std::uint64_t> number() const noexcept { return detail::known(frame_.number); }
    /** How many images came between this one and the one that was taken before it. */
    std::optional<std::uint64_t> missed() const noexcept { return detail::known(frame_.missed); }
    /** How old it was when it was taken. */
    std::optional<std::chrono::nanoseconds> age() const noexcept { return detail::known_time(frame_.age_ns); }
    /** Whether the last holder of the lock died with it: it may be half an image. */
    bool abandoned() const noexcept { return frame_.abandoned != 0; }
    /** All that the C library says of it. */
    const tdshm_top_frame_t &raw() const noexcept { return frame_; }

protected:
    friend class top_receiver;
    tdshm_top_receiver_t *receiver_ = nullptr;
    tdshm_top_frame_t frame_ = {};
};

/** An image where it lies, under the lock: everybody else waits until this goes. Belongs to the thread that took it. */
class top_view : public top_frame {
public:
    top_view() noexcept = default;
    top_view(top_view &&other) noexcept { *this = std::move(other); }
    top_view &operator=(top_view &&other) noexcept
    {
        if (this != &other) {
            release();
            receiver_ = std::exchange(other.receiver_, nullptr);
            frame_ = std::exchange(other.frame_, {});
        }
        return *this;
    }
    ~top_view() { release(); }
    /** Lets go of the lock now. */
    void release() noexcept
    {
        if (receiver_) {
            frame_ = {};
            detail::let_go([it = std::exchange(receiver_, nullptr)] { return tdshm_top_receiver_end_view(it); });
        }
    }

private:
    friend class top_receiver;
};

/** Reads images out of another program's segment: a Shared Mem In TOP. */
class top_receiver {
public:
    /** Opens it under a short name; its sender may come later. */
    explicit top_receiver(std::string_view name, const receiver_options &options = {}, on_error errors = {})
    {
        auto given = detail::sized<tdshm_receiver_options_t>();
        given.observe = options.observe;
        given.lock_limit_ns = detail::option(options.lock_limit);
        given.spin_ns = options.spin.count();
        given.stored_rows = options.stored_rows;
        tdshm_top_receiver_t *handle = nullptr;
        errors.passes(tdshm_top_receiver_open(name.data(), name.size(), &given, &handle));
        handle_.reset(handle);
    }
    /** The next image that differs from the last one, waiting for it so long at most; an empty one where none came. */
    top_frame next(std::chrono::nanoseconds timeout, on_error errors = {})
    {
        return take(errors, [&](auto *frame) { return tdshm_top_receiver_next(handle_.get(), timeout.count(), frame); });
    }
    /** The next image that differs from the last one, if it is there already. */
    top_frame try_next(on_error errors = {}) { return next(std::chrono::nanoseconds(0), errors); }
    /** The newest image, whether or not it differs from the last; an empty one while there is no sender. */
    top_frame read(on_error errors = {})
    {
        return take(errors, [&](auto *frame) { return tdshm_top_receiver_read(handle_.get(), frame); });
    }
    /** The newest image, copied: `rows` says which row comes first in the buffer, `stride_bytes` how far rows are apart there
     *  (0: right behind one another). The frame that is returned has its measures. */
    top_frame read_into(span<std::byte> pixels, rows rows, std::size_t stride_bytes = 0, on_error errors = {})
    {
        return take(errors, [&](auto *frame) {
            return tdshm_top_receiver_read_into(handle_.get(), pixels.data(), pixels.size(), stride_bytes,
                                                static_cast<std::int32_t>(rows), frame);
        });
    }
    /** The last good image. */
    top_frame frame(on_error errors = {}) const
    {
        return take(errors, [&](auto *frame) { return tdshm_top_receiver_frame(handle_.get(), frame); });
    }
    /** The last good image as red, green, blue, alpha. Whether there is one. */
    bool convert(rgba type, span<std::byte> target, rows rows, std::size_t stride_bytes = 0,
                 encoding encoding = encoding::usual, on_error errors = {}) const
    {
        return errors.done(tdshm_top_receiver_convert(handle_.get(), static_cast<std::int32_t>(type), target.data(),
                                                      target.size(), stride_bytes, static_cast<std::int32_t>(rows),
                                                      static_cast<std::int32_t>(encoding)));
    }
    /** The newest image where it lies, under the lock: no copy. */
    top_view view(on_error errors = {})
    {
        top_view view;
        auto frame = detail::sized<tdshm_top_frame_t>();
        if (errors.done(tdshm_top_receiver_view(handle_.get(), &frame))) {
            view.receiver_ = handle_.get();
            view.frame_ = frame;
        }
        return view;
    }
    /** Whether there was a sender at the last look. */
    tdshm::attached attached(on_error errors = {}) const
    {
        tdshm_attached_t found = TDSHM_ATTACHED_NOT_YET;
        errors.passes(tdshm_top_receiver_attached(handle_.get(), &found));
        return static_cast<tdshm::attached>(found);
    }
    /** Changes how long is waited for a lock. */
    void set_lock_limit(std::chrono::nanoseconds limit, on_error errors = {})
    {
        errors.passes(tdshm_top_receiver_set_lock_limit(handle_.get(), limit.count()));
    }
    /** Changes how long `next` looks without a pause before it sleeps. */
    void set_spin(std::chrono::nanoseconds spin, on_error errors = {})
    {
        errors.passes(tdshm_top_receiver_set_spin(handle_.get(), spin.count()));
    }
    /** Lets go of everything that is open; the last image stays, and the next look opens it again. */
    void close(on_error errors = {}) { errors.passes(tdshm_top_receiver_close(handle_.get())); }
    /** The short name. */
    std::string name(on_error errors = {}) const
    {
        return detail::copied(errors, [this](auto... to) { return tdshm_top_receiver_name(handle_.get(), to...); });
    }
    /** What has happened so far. */
    tdshm::stats stats(on_error errors = {}) const
    {
        auto found = detail::sized<tdshm_stats_t>();
        errors.passes(tdshm_top_receiver_stats(handle_.get(), &found));
        return detail::from(found);
    }
    /** The C library's handle. */
    tdshm_top_receiver_t *handle() const noexcept { return handle_.get(); }

private:
    template <class Take> top_frame take(const on_error &errors, Take take) const
    {
        top_frame frame;
        auto found = detail::sized<tdshm_top_frame_t>();
        if (errors.done(take(&found))) {
            frame.receiver_ = handle_.get();
            frame.frame_ = found;
        }
        return frame;
    }
    detail::owned<tdshm_top_receiver_t> handle_;
};

/** Converts an image to red, green, blue, alpha in `target`, rows `target_stride_bytes` apart (0: right behind one another). */
inline void convert(const image &source, rgba type, span<std::byte> target, rows target_rows,
                    std::size_t target_stride_bytes = 0, encoding target_encoding = encoding::usual,
                    encoding source_encoding = encoding::usual, on_error errors = {})
{
    auto given = detail::sized<tdshm_convert_t>();
    given.format = static_cast<std::uint32_t>(source.format);
    given.width = source.width;
    given.height = source.height;
    given.source = source.bytes.data();
    given.source_bytes = source.bytes.size();
    given.source_stride_bytes = source.stride_bytes;
    given.source_rows = static_cast<std::int32_t>(source.rows);
    given.source_encoding = static_cast<std::int32_t>(source_encoding);
    given.target = target.data();
    given.target_bytes = target.size();
    given.target_stride_bytes = target_stride_bytes;
    given.target_rows = static_cast<std::int32_t>(target_rows);
    given.target_encoding = static_cast<std::int32_t>(target_encoding);
    given.channel_type = static_cast<std::int32_t>(type);
    errors.passes(tdshm_convert(&given));
}

} // namespace tdshm

#endif
