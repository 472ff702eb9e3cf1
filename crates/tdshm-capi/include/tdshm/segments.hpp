/* Of tdshm.hpp: bytes of your own under a name, and locks that stand alone. */
#ifndef TDSHM_SEGMENTS_HPP
#define TDSHM_SEGMENTS_HPP

#include "base.hpp"

namespace tdshm {

class lock;

/** Holds a lock until it goes. Belongs to the thread that took it. */
class lock_guard {
public:
    lock_guard() noexcept = default;
    lock_guard(lock_guard &&other) noexcept : lock_(std::exchange(other.lock_, nullptr)), abandoned_(other.abandoned_) {}
    lock_guard &operator=(lock_guard &&other) noexcept
    {
        if (this != &other) {
            release();
            lock_ = std::exchange(other.lock_, nullptr);
            abandoned_ = other.abandoned_;
        }
        return *this;
    }
    ~lock_guard() { release(); }

    /** Whether the lock is held. */
    explicit operator bool() const noexcept { return lock_ != nullptr; }
    /** Whether the last holder died with it: what the lock protects may be half written. */
    bool abandoned() const noexcept { return abandoned_; }
    /** Lets go of it now. */
    void release() noexcept
    {
        if (lock_) {
            detail::let_go([it = std::exchange(lock_, nullptr)] { return tdshm_lock_release(it); });
        }
    }

private:
    friend class lock;
    lock_guard(tdshm_lock_t *lock, bool abandoned) noexcept : lock_(lock), abandoned_(abandoned) {}
    tdshm_lock_t *lock_ = nullptr;
    bool abandoned_ = false;
};

/** A named lock between processes, and between threads that have an object each. A dead process never leaves it locked. */
class lock {
public:
    /** Opens the lock whose object has that whole name, and makes it where it is missing. */
    explicit lock(std::string_view object_name, on_error errors = {})
    {
        tdshm_lock_t *handle = nullptr;
        errors.passes(tdshm_lock_open(object_name.data(), object_name.size(), &handle));
        handle_.reset(handle);
    }
    /** The data lock of the segment with that short name. */
    static lock of_segment(std::string_view short_name, on_error errors = {})
    {
        return lock("TouchSHM" + std::string(short_name) + "Mutex", errors);
    }
    /** Takes it, waiting so long at most. */
    lock_guard acquire(std::chrono::nanoseconds limit = std::chrono::seconds(5), on_error errors = {})
    {
        std::int32_t abandoned = 0;
        if (!errors.done(tdshm_lock_acquire(handle_.get(), limit.count(), &abandoned))) {
            return {};
        }
        return {handle_.get(), abandoned != 0};
    }
    /** Takes it if it is free: the guard says whether. */
    lock_guard try_acquire(on_error errors = {})
    {
        std::int32_t abandoned = 0;
        if (!errors.done(tdshm_lock_try_acquire(handle_.get(), &abandoned))) {
            return {};
        }
        return {handle_.get(), abandoned != 0};
    }
    /** The process that holds it, as far as the lock's record says. */
    std::optional<std::uint32_t> holder(on_error errors = {}) const
    {
        std::uint32_t pid = 0;
        return errors.done(tdshm_lock_holder(handle_.get(), &pid)) ? std::optional(pid) : std::nullopt;
    }
    /** The object's name. */
    std::string name(on_error errors = {}) const
    {
        return detail::copied(errors, [this](auto... to) { return tdshm_lock_name(handle_.get(), to...); });
    }
    /** The C library's handle. */
    tdshm_lock_t *handle() const noexcept { return handle_.get(); }

private:
    detail::owned<tdshm_lock_t> handle_;
};

/** A segment's memory, held under its lock until this goes. Belongs to the thread that took it.
 *
 *  Other programs may write into it at any moment: copy, then decide on the copy. */
template <class Handle> class segment_guard {
public:
    segment_guard() noexcept = default;
    segment_guard(segment_guard &&other) noexcept { *this = std::move(other); }
    segment_guard &operator=(segment_guard &&other) noexcept
    {
        if (this != &other) {
            release();
            handle_ = std::exchange(other.handle_, nullptr);
            memory_ = std::exchange(other.memory_, {});
            abandoned_ = other.abandoned_;
        }
        return *this;
    }
    ~segment_guard() { release(); }

    /** Whether the lock is held: not where there is no sender, or it could not be had. */
    explicit operator bool() const noexcept { return handle_ != nullptr; }
    /** All bytes of the segment, as many as are mapped. */
    span<std::byte> memory() const noexcept { return memory_; }
    /** Whether the last holder died with the lock: what lies there may be half written. */
    bool abandoned() const noexcept { return abandoned_; }
    /** Lets go of the lock now: what a sender wrote is a frame. */
    void release() noexcept
    {
        if (handle_) {
            detail::let_go([it = std::exchange(handle_, nullptr)] { return unlock(it); });
            memory_ = {};
        }
    }

private:
    friend class sender;
    friend class receiver;
    segment_guard(Handle *handle, void *memory, std::size_t bytes, bool abandoned) noexcept
        : handle_(handle), memory_(static_cast<std::byte *>(memory), bytes), abandoned_(abandoned)
    {
    }
    static tdshm_status_t unlock(tdshm_sender_t *handle) noexcept { return tdshm_sender_unlock(handle); }
    static tdshm_status_t unlock(tdshm_receiver_t *handle) noexcept { return tdshm_receiver_unlock(handle); }

    Handle *handle_ = nullptr;
    span<std::byte> memory_;
    bool abandoned_ = false;
};

using write_guard = segment_guard<tdshm_sender_t>;
using read_guard = segment_guard<tdshm_receiver_t>;

/** A segment that this program made: it writes there, and others read. When it goes, receivers are told that it left. */
class sender {
public:
    /** Creates it with room for so many bytes, all zero. */
    sender(std::string_view name, std::size_t size_bytes, const sender_options &options = {}, on_error errors = {})
    {
        auto given = detail::sized<tdshm_sender_options_t>();
        given.mode = options.mode;
        given.take_over = options.take_over;
        given.room_ceiling_bytes = options.room_ceiling_bytes;
        given.lock_limit_ns = detail::option(options.lock_limit);
        tdshm_sender_t *handle = nullptr;
        errors.passes(tdshm_sender_create(name.data(), name.size(), size_bytes, &given, &handle));
        handle_.reset(handle);
    }
    /** Takes the lock for one write, waiting for as long as the options say. */
    write_guard lock(on_error errors = {}) { return lock_for(std::chrono::nanoseconds(TDSHM_DEFAULT), errors); }
    /** The same, waiting so long at most. */
    write_guard lock_for(std::chrono::nanoseconds limit, on_error errors = {})
    {
        void *memory = nullptr;
        std::size_t bytes = 0;
        std::int32_t abandoned = 0;
        if (!errors.done(tdshm_sender_lock(handle_.get(), limit.count(), &memory, &bytes, &abandoned))) {
            return {};
        }
        return {handle_.get(), memory, bytes, abandoned != 0};
    }
    /** Takes it if it is free: the guard says whether. */
    write_guard try_lock(on_error errors = {})
    {
        void *memory = nullptr;
        std::size_t bytes = 0;
        std::int32_t abandoned = 0;
        if (!errors.done(tdshm_sender_try_lock(handle_.get(), &memory, &bytes, &abandoned))) {
            return {};
        }
        return {handle_.get(), memory, bytes, abandoned != 0};
    }
    /** Moves to a segment with room for so many bytes, which begins with these: nobody sees it without them. */
    void resize(std::size_t size_bytes, span<const std::byte> begins = {}, on_error errors = {})
    {
        errors.passes(tdshm_sender_resize(handle_.get(), size_bytes, begins.data(), begins.size()));
    }
    /** Bytes that fit. */
    std::size_t mapped_bytes(on_error errors = {}) const
    {
        void *memory = nullptr;
        std::size_t bytes = 0;
        return errors.passes(tdshm_sender_memory(handle_.get(), &memory, &bytes)) ? bytes : 0;
    }
    /** Leaves. Whether nobody had it open any more, as far as is known. */
    bool detach(on_error errors = {})
    {
        std::int32_t alone = 0;
        return errors.passes(tdshm_sender_detach(handle_.get(), &alone)) && alone != 0;
    }
    /** Changes how long is waited for a lock. */
    void set_lock_limit(std::chrono::nanoseconds limit, on_error errors = {})
    {
        errors.passes(tdshm_sender_set_lock_limit(handle_.get(), limit.count()));
    }
    /** The short name. */
    std::string name(on_error errors = {}) const
    {
        return detail::copied(errors, [this](auto... to) { return tdshm_sender_name(handle_.get(), to...); });
    }
    /** What has happened so far. */
    tdshm::stats stats(on_error errors = {}) const
    {
        auto found = detail::sized<tdshm_stats_t>();
        errors.passes(tdshm_sender_stats(handle_.get(), &found));
        return detail::from(found);
    }
    /** The C library's handle. */
    tdshm_sender_t *handle() const noexcept { return handle_.get(); }

private:
    detail::owned<tdshm_sender_t> handle_;
};

/** A segment that another program makes, or will make: this one reads, and follows it wherever it goes. */
class receiver {
public:
    /** Opens it; its sender may come later. */
    explicit receiver(std::string_view name, const receiver_options &options = {}, on_error errors = {})
    {
        auto given = detail::sized<tdshm_receiver_options_t>();
        given.observe = options.observe;
        given.lock_limit_ns = detail::option(options.lock_limit);
        tdshm_receiver_t *handle = nullptr;
        errors.passes(tdshm_receiver_open(name.data(), name.size(), &given, &handle));
        handle_.reset(handle);
    }
    /** Looks for the sender and takes its lock for one read; an empty guard while there is no sender. */
    read_guard lock(on_error errors = {}) { return lock_for(std::chrono::nanoseconds(TDSHM_DEFAULT), errors); }
    /** The same, waiting so long at most. */
    read_guard lock_for(std::chrono::nanoseconds limit, on_error errors = {})
    {
        void *memory = nullptr;
        std::size_t bytes = 0;
        std::int32_t abandoned = 0;
        if (!errors.done(tdshm_receiver_lock(handle_.get(), limit.count(), &memory, &bytes, &abandoned))) {
            return {};
        }
        return {handle_.get(), memory, bytes, abandoned != 0};
    }
    /** Takes it if it is free: the guard says whether. */
    read_guard try_lock(on_error errors = {})
    {
        void *memory = nullptr;
        std::size_t bytes = 0;
        std::int32_t abandoned = 0;
        if (!errors.done(tdshm_receiver_try_lock(handle_.get(), &memory, &bytes, &abandoned))) {
            return {};
        }
        return {handle_.get(), memory, bytes, abandoned != 0};
    }
    /** Waits until the sender has written since this was asked last. Whether it has; while a foreign one is there, which counts
     *  nothing, it says true after a millisecond, and the caller compares. Takes no lock. */
    bool wait(std::chrono::nanoseconds timeout, on_error errors = {})
    {
        const tdshm_status_t status = tdshm_receiver_wait(handle_.get(), timeout.count());
        return errors.passes(status) && (status == TDSHM_OK || status == TDSHM_NOT_KNOWN);
    }
    /** Whether there was a sender at the last look. */
    tdshm::attached attached(on_error errors = {}) const
    {
        tdshm_attached_t found = TDSHM_ATTACHED_NOT_YET;
        errors.passes(tdshm_receiver_attached(handle_.get(), &found));
        return static_cast<tdshm::attached>(found);
    }
    /** Whether it only observes. */
    bool is_observer(on_error errors = {}) const
    {
        std::int32_t observes = 0;
        return errors.passes(tdshm_receiver_is_observer(handle_.get(), &observes)) && observes != 0;
    }
    /** Changes how long is waited for a lock. */
    void set_lock_limit(std::chrono::nanoseconds limit, on_error errors = {})
    {
        errors.passes(tdshm_receiver_set_lock_limit(handle_.get(), limit.count()));
    }
    /** Lets go of everything that is open; the next look opens it again. */
    void close(on_error errors = {}) { errors.passes(tdshm_receiver_close(handle_.get())); }
    /** The short name. */
    std::string name(on_error errors = {}) const
    {
        return detail::copied(errors, [this](auto... to) { return tdshm_receiver_name(handle_.get(), to...); });
    }
    /** What has happened so far. */
    tdshm::stats stats(on_error errors = {}) const
    {
        auto found = detail::sized<tdshm_stats_t>();
        errors.passes(tdshm_receiver_stats(handle_.get(), &found));
        return detail::from(found);
    }
    /** The C library's handle. */
    tdshm_receiver_t *handle() const noexcept { return handle_.get(); }

private:
    detail::owned<tdshm_receiver_t> handle_;
};

} // namespace tdshm

#endif
