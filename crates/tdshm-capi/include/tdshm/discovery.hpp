/* Of tdshm.hpp: what segments there are, what they hold, and cleaning up. */
#ifndef TDSHM_DISCOVERY_HPP
#define TDSHM_DISCOVERY_HPP

#include "base.hpp"
#include "images.hpp"

#include <vector>

namespace tdshm {

/** What a segment holds. */
enum class holds : std::int32_t {
    unknown = TDSHM_HOLDS_UNKNOWN,
    channels = TDSHM_HOLDS_CHANNELS,
    image = TDSHM_HOLDS_IMAGE,
    /** All blocks of a program of this library. */
    global = TDSHM_HOLDS_GLOBAL,
};

/** What a receiver of this library recorded about itself. */
struct receiver_info {
    std::uint32_t pid = 0;
    bool alive = false;
    /** It sleeps until the next frame. */
    bool waiting = false;
    /** The number of the frame it took last. */
    std::optional<std::uint64_t> frame;
    /** How many frames were written since. */
    std::uint64_t behind = 0;
};

/** What a look at a segment found. */
struct segment_info {
    /** The short name. */
    std::string name;
    /** The data segment's object name. */
    std::string object;
    tdshm::holds holds = holds::unknown;
    /** Bytes; nothing where there is an info segment and no data. */
    std::optional<std::uint64_t> mapped_bytes;
    /** Whether the sender has said that it left; nothing where there is no info segment. */
    std::optional<bool> detached;
    /** Whether a foreign receiver has been there; nothing where there is no info segment. */
    std::optional<bool> supported;
    /** Its sender is of this library, and what follows up to `receivers` is known. */
    bool is_ours = false;
    bool owner_alive = false;
    /** The process that owns it. */
    std::optional<std::uint32_t> owner_pid;
    /** The owner's program. */
    std::string program;
    /** Frames written. */
    std::uint64_t frames = 0;
    /** How old the last one is. */
    std::optional<std::chrono::nanoseconds> age;
    std::vector<receiver_info> receivers;
    /** What is wrong with the block; empty where nothing is. */
    std::string trouble;
    /** Of channels: how many, samples in each, Hz, and the names where they are sent. */
    std::uint64_t num_channels = 0;
    std::uint64_t len_samples = 0;
    float sample_rate = 0;
    std::vector<std::string> channels;
    /** Of an image. */
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    tdshm::format format = format::none;
};

/** What an object is. */
enum class object_kind : std::int32_t {
    data = TDSHM_OBJECT_DATA,
    info = TDSHM_OBJECT_INFO,
    lock = TDSHM_OBJECT_LOCK,
};

/** What became of an object. */
enum class fate : std::int32_t {
    /** It was removed, or would be. */
    removed = TDSHM_FATE_REMOVED,
    /** A living sender has it, or somebody has the lock open. */
    in_use = TDSHM_FATE_IN_USE,
    /** A foreign program made it, and nobody can tell whether that still lives. */
    foreign = TDSHM_FATE_FOREIGN,
    /** It goes with the programs that have it open. */
    held_open = TDSHM_FATE_HELD_OPEN,
    /** This user may not. */
    out_of_reach = TDSHM_FATE_OUT_OF_REACH,
};

/** What became of one object when it was cleaned up. */
struct swept {
    std::string object;
    object_kind kind = object_kind::data;
    tdshm::fate fate = fate::removed;
    /** Whose it is, of fate::in_use. */
    std::optional<std::uint32_t> pid;
    /** Why it is out of reach. */
    std::string reason;
};

/** One field of one object. */
struct field {
    /** The object's name. */
    std::string object;
    /** What the object holds, in a few words. */
    std::string holds;
    /** Bytes that the object has. */
    std::uint64_t mapped_bytes = 0;
    /** The field's name, as in the protocol's description. */
    std::string name;
    /** Where it lies in the object, in bytes. */
    std::uint64_t offset = 0;
    /** What it holds, as a text. */
    std::string value;
};

/** What is out of the ordinary. */
struct deviation {
    std::string text;
    /** It breaks the protocol. */
    bool is_breach = false;
};

/** All fields of all objects of a segment, and what is out of the ordinary. */
struct examination {
    std::vector<field> fields;
    std::vector<deviation> deviations;
};

namespace detail {

inline std::optional<bool> maybe(std::int32_t value) noexcept
{
    return value < 0 ? std::nullopt : std::optional(value != 0);
}

inline segment_info segment_at(tdshm_list_t *list, std::size_t index, const on_error &errors)
{
    segment_info info;
    auto found = sized<tdshm_segment_info_t>();
    if (!errors.done(tdshm_list_at(list, index, &found))) {
        return info;
    }
    info.name = text(found.name);
    info.object = text(found.object);
    info.holds = static_cast<tdshm::holds>(found.holds);
    info.mapped_bytes = known(found.mapped_bytes);
    info.detached = maybe(found.detached);
    info.supported = maybe(found.supported);
    info.is_ours = found.is_ours != 0;
    info.owner_alive = found.owner_alive != 0;
    if (found.owner_pid != 0) {
        info.owner_pid = found.owner_pid;
    }
    info.program = text(found.program);
    info.frames = found.frames;
    info.age = known_time(found.age_ns);
    info.trouble = text(found.trouble);
    info.num_channels = found.num_channels;
    info.len_samples = found.len_samples;
    info.sample_rate = found.sample_rate;
    info.width = found.width;
    info.height = found.height;
    info.format = static_cast<tdshm::format>(found.format);
    for (std::size_t at = 0; at < found.num_receivers; ++at) {
        auto one = sized<tdshm_receiver_info_t>();
        if (!errors.done(tdshm_list_receiver(list, index, at, &one))) {
            break;
        }
        receiver_info receiver;
        receiver.pid = one.pid;
        receiver.alive = one.alive != 0;
        receiver.waiting = one.waiting != 0;
        receiver.frame = known(one.frame);
        receiver.behind = one.behind;
        info.receivers.push_back(receiver);
    }
    tdshm_text_t name = {};
    for (std::size_t at = 0; errors.done(tdshm_list_channel_name(list, index, at, &name)); ++at) {
        info.channels.emplace_back(text(name));
    }
    return info;
}

inline std::vector<segment_info> segments_of(tdshm_list_t *list, const on_error &errors)
{
    std::vector<segment_info> all;
    std::size_t count = 0;
    if (errors.done(tdshm_list_count(list, &count))) {
        for (std::size_t index = 0; index < count; ++index) {
            all.push_back(segment_at(list, index, errors));
        }
    }
    return all;
}

} // namespace detail

/** Looks at all segments that can be found here, without taking part. */
inline std::vector<segment_info> list(on_error errors = {})
{
    tdshm_list_t *handle = nullptr;
    if (!errors.done(tdshm_list(&handle))) {
        return {};
    }
    const detail::owned<tdshm_list_t> list(handle);
    return detail::segments_of(list.get(), errors);
}

/** Looks at one segment. errc::does_not_exist where there is none of that name. */
inline segment_info inspect(std::string_view name, on_error errors = {})
{
    tdshm_list_t *handle = nullptr;
    if (!errors.done(tdshm_inspect(name.data(), name.size(), &handle))) {
        return {};
    }
    const detail::owned<tdshm_list_t> list(handle);
    return detail::segment_at(list.get(), 0, errors);
}

namespace detail {

inline std::vector<swept> clean(const std::vector<tdshm_text_t> *names, bool dry_run, const on_error &errors)
{
    std::vector<swept> all;
    tdshm_swept_t *handle = nullptr;
    const tdshm_text_t *first = names ? names->data() : nullptr;
    if (!errors.done(tdshm_clean(first, names ? names->size() : 0, dry_run, &handle))) {
        return all;
    }
    const owned<tdshm_swept_t> list(handle);
    std::size_t count = 0;
    errors.passes(tdshm_swept_count(list.get(), &count));
    for (std::size_t index = 0; index < count; ++index) {
        auto found = sized<tdshm_swept_info_t>();
        if (!errors.done(tdshm_swept_at(list.get(), index, &found))) {
            break;
        }
        swept one;
        one.object = text(found.object);
        one.kind = static_cast<object_kind>(found.kind);
        one.fate = static_cast<tdshm::fate>(found.fate);
        if (found.pid != 0) {
            one.pid = found.pid;
        }
        one.reason = text(found.reason);
        all.push_back(std::move(one));
    }
    return all;
}

} // namespace detail

/** Whether something is done, or only said. */
enum class dry_run : bool { no, yes };

/** Removes what dead senders of these short names left, and their locks that nobody has open. */
inline std::vector<swept> clean(span<const std::string> names, dry_run dry = dry_run::no, on_error errors = {})
{
    if (names.empty()) {
        return {};
    }
    std::vector<tdshm_text_t> texts;
    texts.reserve(names.size());
    for (const std::string &name : names) {
        texts.push_back(detail::text(name));
    }
    return detail::clean(&texts, dry == dry_run::yes, errors);
}

/** The same of all names. */
inline std::vector<swept> clean_all(dry_run dry = dry_run::no, on_error errors = {})
{
    return detail::clean(nullptr, dry == dry_run::yes, errors);
}

/** Reads all fields of all objects of a segment and compares them with the protocol: what `tdshm doctor` shows. */
inline examination examine(std::string_view name, on_error errors = {})
{
    examination all;
    tdshm_examination_t *handle = nullptr;
    if (!errors.done(tdshm_examine(name.data(), name.size(), &handle))) {
        return all;
    }
    const detail::owned<tdshm_examination_t> owner(handle);
    std::size_t count = 0;
    errors.passes(tdshm_examination_count(handle, &count));
    for (std::size_t index = 0; index < count; ++index) {
        auto found = detail::sized<tdshm_field_info_t>();
        if (!errors.done(tdshm_examination_at(handle, index, &found))) {
            break;
        }
        field one;
        one.object = detail::text(found.object);
        one.holds = detail::text(found.holds);
        one.mapped_bytes = found.mapped_bytes;
        one.name = detail::text(found.field);
        one.offset = found.offset;
        one.value = detail::text(found.value);
        all.fields.push_back(std::move(one));
    }
    tdshm_text_t text = {};
    std::int32_t is_breach = 0;
    for (std::size_t index = 0; errors.done(tdshm_examination_deviation(handle, index, &text, &is_breach)); ++index) {
        deviation one;
        one.text = detail::text(text);
        one.is_breach = is_breach != 0;
        all.deviations.push_back(std::move(one));
    }
    return all;
}

} // namespace tdshm

#endif
