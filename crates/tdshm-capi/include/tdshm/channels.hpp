/* Of tdshm.hpp: channels. */
#ifndef TDSHM_CHANNELS_HPP
#define TDSHM_CHANNELS_HPP

#include "base.hpp"

#include <vector>

namespace tdshm {

/** What a sender of channels can be told when it is created. */
struct chop_sender_options : sender_options {
    /** The names of the channels; without any they are called chan1, chan2, ... */
    std::vector<std::string> channels;
    /** Samples per second, in Hz. */
    float sample_rate = 60;
    /** Whether names are sent; without them a receiver keeps those that it had. */
    bool names_sent = true;
    /** Places for the data beside one another: 0 leaves it to the sender, 2 to 4 are so many, TDSHM_NO_SLOTS none. */
    int slots = 0;
    /** Room for frames of so many channels... */
    std::size_t room_channels = 0;
    /** ... of so many samples each. */
    std::size_t room_samples = 0;
};

/** A frame that is filled in place, and thrown away unless it is committed. */
class chop_draft {
public:
    chop_draft() noexcept = default;
    chop_draft(chop_draft &&other) noexcept { *this = std::move(other); }
    chop_draft &operator=(chop_draft &&other) noexcept
    {
        if (this != &other) {
            discard();
            sender_ = std::exchange(other.sender_, nullptr);
            samples_ = std::exchange(other.samples_, {});
            len_samples_ = other.len_samples_;
        }
        return *this;
    }
    ~chop_draft() { discard(); }

    explicit operator bool() const noexcept { return sender_ != nullptr; }
    /** Where its samples go: all of channel 0, then all of channel 1, and so on, with whatever lies there. */
    span<float> samples() const noexcept { return samples_; }
    /** Where those of one channel go; nothing where there are not so many. */
    span<float> channel(std::size_t index) const noexcept
    {
        return len_samples_ == 0 ? span<float>() : samples_.subspan(index * len_samples_, len_samples_);
    }
    /** Sends it. */
    void commit(on_error errors = {})
    {
        if (sender_) {
            samples_ = {};
            errors.passes(tdshm_chop_sender_commit(std::exchange(sender_, nullptr)));
        }
    }
    /** Throws it away. */
    void discard() noexcept
    {
        if (sender_) {
            samples_ = {};
            tdshm_chop_sender_discard(std::exchange(sender_, nullptr));
        }
    }

private:
    friend class chop_sender;
    tdshm_chop_sender_t *sender_ = nullptr;
    span<float> samples_;
    std::size_t len_samples_ = 0;
};

/** Writes channels into a segment of its own: a Shared Mem Out CHOP. When it goes, receivers are told that it left. */
class chop_sender {
public:
    /** Creates it under a short name. */
    explicit chop_sender(std::string_view name, const chop_sender_options &options = {}, on_error errors = {})
    {
        std::vector<tdshm_text_t> names;
        names.reserve(options.channels.size());
        for (const std::string &channel : options.channels) {
            names.push_back(detail::text(channel));
        }
        auto given = detail::sized<tdshm_chop_sender_options_t>();
        given.mode = options.mode;
        given.take_over = options.take_over;
        given.room_ceiling_bytes = options.room_ceiling_bytes;
        given.lock_limit_ns = detail::option(options.lock_limit);
        given.without_names = !options.names_sent;
        given.channels = names.empty() ? nullptr : names.data();
        given.num_channels = names.size();
        given.sample_rate = options.sample_rate;
        given.slots = options.slots;
        given.room_channels = options.room_channels;
        given.room_samples = options.room_samples;
        tdshm_chop_sender_t *handle = nullptr;
        errors.passes(tdshm_chop_sender_create(name.data(), name.size(), &given, &handle));
        handle_.reset(handle);
    }
    /** Sends one frame: all samples of channel 0, then all of channel 1, and so on, so many of each. */
    void send(span<const float> samples, std::size_t len_samples, on_error errors = {})
    {
        // A division takes as long as all that the small frames of trackers need otherwise.
        const std::size_t channels =
            len_samples == 1 ? samples.size() : len_samples == 0 ? 0 : samples.size() / len_samples;
        if (channels * len_samples != samples.size()) {
            errors.refuse(errc::argument, "the number of samples is no multiple of len_samples: give each channel as many");
            return;
        }
        errors.passes(tdshm_chop_sender_send(handle_.get(), samples.data(), channels, len_samples));
    }
    /** Sends one frame whose channels lie in different places, so many samples in each. */
    void send_rows(span<const float *const> rows, std::size_t len_samples, on_error errors = {})
    {
        errors.passes(tdshm_chop_sender_send_rows(handle_.get(), rows.data(), rows.size(), len_samples));
    }
    /** Begins a frame that is filled in place. Nobody reads there, and no lock is held: take your time. */
    chop_draft begin(std::size_t num_channels, std::size_t len_samples, on_error errors = {})
    {
        chop_draft draft;
        float *samples = nullptr;
        if (errors.done(tdshm_chop_sender_begin(handle_.get(), num_channels, len_samples, &samples))) {
            draft.sender_ = handle_.get();
            draft.samples_ = {samples, num_channels * len_samples};
            draft.len_samples_ = len_samples;
        }
        return draft;
    }
    /** Names the channels from the next frame on. */
    void set_channels(span<const std::string> channels, on_error errors = {})
    {
        std::vector<tdshm_text_t> names;
        names.reserve(channels.size());
        for (const std::string &channel : channels) {
            names.push_back(detail::text(channel));
        }
        errors.passes(tdshm_chop_sender_set_channels(handle_.get(), names.data(), names.size()));
    }
    /** Samples per second from the next frame on, in Hz. */
    void set_sample_rate(float rate, on_error errors = {})
    {
        errors.passes(tdshm_chop_sender_set_sample_rate(handle_.get(), rate));
    }
    /** Whether names are sent. */
    void set_names_sent(bool sent, on_error errors = {})
    {
        errors.passes(tdshm_chop_sender_set_names_sent(handle_.get(), sent));
    }
    /** Leaves. Whether nobody had it open any more, as far as is known. */
    bool detach(on_error errors = {})
    {
        std::int32_t alone = 0;
        return errors.passes(tdshm_chop_sender_detach(handle_.get(), &alone)) && alone != 0;
    }
    /** Frames sent so far. */
    std::uint64_t frames(on_error errors = {}) const
    {
        std::uint64_t frames = 0;
        errors.passes(tdshm_chop_sender_frames(handle_.get(), &frames));
        return frames;
    }
    /** Bytes of the largest block that fits without moving to a larger segment. */
    std::size_t room_bytes(on_error errors = {}) const
    {
        std::size_t bytes = 0;
        errors.passes(tdshm_chop_sender_room(handle_.get(), &bytes));
        return bytes;
    }
    /** Changes how long is waited for a lock. */
    void set_lock_limit(std::chrono::nanoseconds limit, on_error errors = {})
    {
        errors.passes(tdshm_chop_sender_set_lock_limit(handle_.get(), limit.count()));
    }
    /** The short name. */
    std::string name(on_error errors = {}) const
    {
        return detail::copied(errors, [this](auto... to) { return tdshm_chop_sender_name(handle_.get(), to...); });
    }
    /** What has happened so far. */
    tdshm::stats stats(on_error errors = {}) const
    {
        auto found = detail::sized<tdshm_stats_t>();
        errors.passes(tdshm_chop_sender_stats(handle_.get(), &found));
        return detail::from(found);
    }
    /** The C library's handle. */
    tdshm_chop_sender_t *handle() const noexcept { return handle_.get(); }

private:
    detail::owned<tdshm_chop_sender_t> handle_;
};

/** A frame of channels, in the receiver's memory: valid until the receiver is asked for another one, or goes. */
class chop_frame {
public:
    chop_frame() noexcept = default;
    /** Whether there is one. */
    explicit operator bool() const noexcept { return receiver_ != nullptr; }
    std::size_t num_channels() const noexcept { return static_cast<std::size_t>(frame_.num_channels); }
    /** Samples in each channel. */
    std::size_t len_samples() const noexcept { return static_cast<std::size_t>(frame_.len_samples); }
    /** Samples per second, in Hz. */
    float sample_rate() const noexcept { return frame_.sample_rate; }
    /** All of channel 0, then all of channel 1, and so on; none where they were copied elsewhere. */
    span<const float> samples() const noexcept
    {
        return frame_.samples ? span<const float>(frame_.samples, num_channels() * len_samples()) : span<const float>();
    }
    /** Those of one channel; none where there are not so many. */
    span<const float> channel(std::size_t index) const noexcept
    {
        return index < num_channels() ? samples().subspan(index * len_samples(), len_samples()) : span<const float>();
    }
    /** Those of the first channel with that name; none where there is no such channel. */
    span<const float> channel(std::string_view name) const noexcept
    {
        const auto index = find(name);
        return index ? channel(*index) : span<const float>();
    }
    /** The position of the first channel with that name. */
    std::optional<std::size_t> find(std::string_view name) const noexcept
    {
        std::size_t index = 0;
        const auto status = tdshm_chop_receiver_find_channel(receiver_, name.data(), name.size(), &index);
        return status == TDSHM_OK ? std::optional(index) : std::nullopt;
    }
    /** The name of a channel; empty where there are not so many. */
    std::string_view name(std::size_t index) const noexcept
    {
        const char *text = nullptr;
        std::size_t bytes = 0;
        const auto status = tdshm_chop_receiver_channel_name(receiver_, index, &text, &bytes);
        return status == TDSHM_OK ? std::string_view(text, bytes) : std::string_view();
    }
    /** The number that the sender gave it; a foreign one gives none. */
    std::optional<std::uint64_t> number() const noexcept { return detail::known(frame_.number); }
    /** How many frames came between this one and the one that was taken before it. */
    std::optional<std::uint64_t> missed() const noexcept { return detail::known(frame_.missed); }
    /** How old it was when it was taken. */
    std::optional<std::chrono::nanoseconds> age() const noexcept { return detail::known_time(frame_.age_ns); }
    /** Whether the last holder of the lock died with it: it may be half a frame. */
    bool abandoned() const noexcept { return frame_.abandoned != 0; }

protected:
    friend class chop_receiver;
    tdshm_chop_receiver_t *receiver_ = nullptr;
    tdshm_chop_frame_t frame_ = {};
};

/** A frame where it lies, under the lock: everybody else waits until this goes. Belongs to the thread that took it. */
class chop_view : public chop_frame {
public:
    chop_view() noexcept = default;
    chop_view(chop_view &&other) noexcept { *this = std::move(other); }
    chop_view &operator=(chop_view &&other) noexcept
    {
        if (this != &other) {
            release();
            receiver_ = std::exchange(other.receiver_, nullptr);
            frame_ = std::exchange(other.frame_, {});
        }
        return *this;
    }
    ~chop_view() { release(); }
    /** Lets go of the lock now. */
    void release() noexcept
    {
        if (receiver_) {
            frame_ = {};
            detail::let_go([it = std::exchange(receiver_, nullptr)] { return tdshm_chop_receiver_end_view(it); });
        }
    }

private:
    friend class chop_receiver;
};

/** Reads channels out of another program's segment: a Shared Mem In CHOP. */
class chop_receiver {
public:
    /** Opens it under a short name; its sender may come later. */
    explicit chop_receiver(std::string_view name, const receiver_options &options = {}, on_error errors = {})
    {
        auto given = detail::sized<tdshm_receiver_options_t>();
        given.observe = options.observe;
        given.lock_limit_ns = detail::option(options.lock_limit);
        given.spin_ns = options.spin.count();
        tdshm_chop_receiver_t *handle = nullptr;
        errors.passes(tdshm_chop_receiver_open(name.data(), name.size(), &given, &handle));
        handle_.reset(handle);
    }
    /** The next frame that differs from the last one, waiting for it so long at most; an empty one where none came. */
    chop_frame next(std::chrono::nanoseconds timeout, on_error errors = {})
    {
        return take(errors, [&](auto *frame) { return tdshm_chop_receiver_next(handle_.get(), timeout.count(), frame); });
    }
    /** The next frame that differs from the last one, if it is there already. */
    chop_frame try_next(on_error errors = {}) { return next(std::chrono::nanoseconds(0), errors); }
    /** The newest frame, whether or not it differs from the last; an empty one while there is no sender. */
    chop_frame read(on_error errors = {})
    {
        return take(errors, [&](auto *frame) { return tdshm_chop_receiver_read(handle_.get(), frame); });
    }
    /** The newest frame's samples, copied: all of channel 0 first. The frame that is returned has its measures. */
    chop_frame read_into(span<float> samples, on_error errors = {})
    {
        return take(errors, [&](auto *frame) {
            return tdshm_chop_receiver_read_into(handle_.get(), samples.data(), samples.size(), frame);
        });
    }
    /** The last good frame. */
    chop_frame frame(on_error errors = {}) const
    {
        return take(errors, [&](auto *frame) { return tdshm_chop_receiver_frame(handle_.get(), frame); });
    }
    /** The newest frame where it lies, under the lock: no copy. */
    chop_view view(on_error errors = {})
    {
        chop_view view;
        auto frame = detail::sized<tdshm_chop_frame_t>();
        if (errors.done(tdshm_chop_receiver_view(handle_.get(), &frame))) {
            view.receiver_ = handle_.get();
            view.frame_ = frame;
        }
        return view;
    }
    /** Whether there was a sender at the last look. */
    tdshm::attached attached(on_error errors = {}) const
    {
        tdshm_attached_t found = TDSHM_ATTACHED_NOT_YET;
        errors.passes(tdshm_chop_receiver_attached(handle_.get(), &found));
        return static_cast<tdshm::attached>(found);
    }
    /** Changes how long is waited for a lock. */
    void set_lock_limit(std::chrono::nanoseconds limit, on_error errors = {})
    {
        errors.passes(tdshm_chop_receiver_set_lock_limit(handle_.get(), limit.count()));
    }
    /** Changes how long `next` looks without a pause before it sleeps. */
    void set_spin(std::chrono::nanoseconds spin, on_error errors = {})
    {
        errors.passes(tdshm_chop_receiver_set_spin(handle_.get(), spin.count()));
    }
    /** Lets go of everything that is open; the last frame stays, and the next look opens it again. */
    void close(on_error errors = {}) { errors.passes(tdshm_chop_receiver_close(handle_.get())); }
    /** The short name. */
    std::string name(on_error errors = {}) const
    {
        return detail::copied(errors, [this](auto... to) { return tdshm_chop_receiver_name(handle_.get(), to...); });
    }
    /** What has happened so far. */
    tdshm::stats stats(on_error errors = {}) const
    {
        auto found = detail::sized<tdshm_stats_t>();
        errors.passes(tdshm_chop_receiver_stats(handle_.get(), &found));
        return detail::from(found);
    }
    /** The C library's handle. */
    tdshm_chop_receiver_t *handle() const noexcept { return handle_.get(); }

private:
    template <class Take> chop_frame take(const on_error &errors, Take take) const
    {
        chop_frame frame;
        auto found = detail::sized<tdshm_chop_frame_t>();
        if (errors.done(take(&found))) {
            frame.receiver_ = handle_.get();
            frame.frame_ = found;
        }
        return frame;
    }
    detail::owned<tdshm_chop_receiver_t> handle_;
};

} // namespace tdshm

#endif
