/* Classes with the names and the meaning that programs know which were written for TouchDesigner's own: put them in the
 * place of those, and such a program compiles unchanged. docs/cpp.md says step by step how, and what is different.
 *
 * C++17, header only, over the C library; written from the description of the protocol (docs/protocol.md, section 10). */
#ifndef TDSHM_UT_SHARED_MEM_H
#define TDSHM_UT_SHARED_MEM_H

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "tdshm needs C++17: -std=c++17, with Visual C++ /std:c++17, with CMake set(CMAKE_CXX_STANDARD 17)"
#endif

#include "CHOP_SharedMemHeader.h"
#include "TOP_SharedMemHeader.h"
#include "tdshm.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>

namespace tdshm_classic {

#ifdef _WIN32
using Text = std::wstring;
#else
using Text = std::string;
#endif

/** UTF-8 of one number; a byte that is never UTF-8, for what is no character, so that the library refuses the name. */
inline void append_utf8(std::string &to, std::uint32_t c)
{
    const auto put = [&to](std::uint32_t byte) { to.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | (c >> 6));
        put(0x80 | (c & 0x3f));
    } else if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        put(0xff);
    } else if (c < 0x10000) {
        put(0xe0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3f));
        put(0x80 | (c & 0x3f));
    } else {
        put(0xf0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3f));
        put(0x80 | ((c >> 6) & 0x3f));
        put(0x80 | (c & 0x3f));
    }
}

/** UTF-8 of wide text: UTF-16 where wchar_t has 16 bits, UTF-32 elsewhere. */
inline std::string narrow(std::wstring_view text)
{
    std::string to;
    to.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto c = static_cast<std::uint32_t>(text[i]);
        if constexpr (sizeof(wchar_t) == 2) {
            c &= 0xffff;
            if (c >= 0xd800 && c < 0xdc00 && i + 1 < text.size()) {
                const auto low = static_cast<std::uint32_t>(text[i + 1]) & 0xffff;
                if (low >= 0xdc00 && low < 0xe000) {
                    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                    ++i;
                }
            }
        }
        append_utf8(to, c);
    }
    return to;
}

/** One character of UTF-8 from `at` on; how many bytes it has, 0 where that is not UTF-8. */
inline std::size_t one_of_utf8(std::string_view text, std::size_t at, std::uint32_t &c)
{
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) : 0U;
    };
    const std::uint32_t first = byte(at);
    if (first < 0x80) {
        c = first;
        return 1;
    }
    const std::size_t bytes = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (bytes == 0 || first >= 0xf5) {
        return 0;
    }
    c = first & (0xffU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        const std::uint32_t next = byte(at + i);
        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        c = (c << 6) | (next & 0x3f);
    }
    const std::uint32_t least = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0x80;
    return c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : bytes;
}

/** Wide text of UTF-8; text that is none is taken byte by byte, as Latin-1, which ASCII names do not tell apart. */
inline std::wstring widen(std::string_view text)
{
    std::wstring to;
    to.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        std::uint32_t c = 0;
        const std::size_t bytes = one_of_utf8(text, at, c);
        if (bytes == 0) {
            to.clear();
            for (const char latin : text) {
                to.push_back(static_cast<wchar_t>(static_cast<unsigned char>(latin)));
            }
            return to;
        }
        at += bytes;
        if (sizeof(wchar_t) == 2 && c >= 0x10000) {
            to.push_back(static_cast<wchar_t>(0xd800 + ((c - 0x10000) >> 10)));
            to.push_back(static_cast<wchar_t>(0xdc00 + ((c - 0x10000) & 0x3ff)));
        } else {
            to.push_back(static_cast<wchar_t>(c));
        }
    }
    return to;
}

inline std::string to_utf8(std::string_view text) { return std::string(text); }
inline std::string to_utf8(std::wstring_view text) { return narrow(text); }

#ifdef _WIN32
inline Text native(std::string_view text) { return widen(text); }
inline Text native(std::wstring_view text) { return Text(text); }
#else
inline Text native(std::string_view text) { return Text(text); }
inline Text native(std::wstring_view text) { return narrow(text); }
#endif

/** Something that is another one on each thread. */
inline const void *this_thread() noexcept
{
    static thread_local char mark = 0;
    return &mark;
}

/** As the C library takes times. */
inline std::int64_t nanoseconds(std::int64_t milliseconds) noexcept
{
    constexpr std::int64_t most = std::int64_t{1} << 40; // 35 years
    const std::int64_t bounded = milliseconds < 0 ? 0 : milliseconds > most ? most : milliseconds;
    return bounded * 1000000;
}

/** Whether it is merely another thread that has the object, or its lock. */
inline bool is_elsewhere(tdshm_status_t status) noexcept
{
    return status == TDSHM_ERR_IN_USE || status == TDSHM_ERR_WRONG_THREAD;
}

/** Goes on where the first attempt met another thread in a call on the same object, for as long as that stays there. */
template <class Attempt> tdshm_status_t again(std::int64_t limit_ns, Attempt attempt)
{
    const auto begun = std::chrono::steady_clock::now();
    for (;;) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        const auto gone = std::chrono::steady_clock::now() - begun;
        const std::int64_t left = limit_ns - std::chrono::duration_cast<std::chrono::nanoseconds>(gone).count();
        const tdshm_status_t status = attempt(left < 0 ? 0 : left);
        if (status != TDSHM_ERR_IN_USE || left <= 0) {
            return status;
        }
    }
}

/** Calls `attempt` with the time that is left, for as long as another thread is in a call on the same object. The clock is
 *  asked once somebody is: it costs as much as a lock. */
template <class Attempt> tdshm_status_t patiently(std::int64_t limit_ns, Attempt attempt)
{
    const tdshm_status_t status = attempt(limit_ns);
    return status != TDSHM_ERR_IN_USE || limit_ns <= 0 ? status : again(limit_ns, attempt);
}

/** A word that threads may look at and set at any time, and that says nothing of any other one. */
template <class Value> class Loose {
public:
    Loose(Value value) : value_(value) {}
    operator Value() const { return value_.load(std::memory_order_relaxed); }
    Value operator=(Value value)
    {
        value_.store(value, std::memory_order_relaxed);
        return value;
    }

private:
    std::atomic<Value> value_;
};

} // namespace tdshm_classic

/** A name. On Windows it is wide, elsewhere narrow (UTF-8); everywhere it is made of either kind of text. */
class ShmString : public tdshm_classic::Text {
public:
    ShmString() = default;
    /** Of narrow text: UTF-8. NULL is an empty name, which no segment has. */
    ShmString(const char *text) : Text(text ? tdshm_classic::native(std::string_view(text)) : Text()) {}
    /** Of wide text. NULL is an empty name, which no segment has. */
    ShmString(const wchar_t *text) : Text(text ? tdshm_classic::native(std::wstring_view(text)) : Text()) {}
    ShmString(const std::string &text) : Text(tdshm_classic::native(std::string_view(text))) {}
    ShmString(const std::wstring &text) : Text(tdshm_classic::native(std::wstring_view(text))) {}

    /** The name in UTF-8, on every system. */
    std::string utf8() const
    {
        return tdshm_classic::to_utf8(std::basic_string_view<value_type>(data(), size()));
    }

private:
    using Text = tdshm_classic::Text;
};

/** What a UT_SharedMem has to say of itself: getErrorState. */
enum UT_SharedMemError {
    /** Nothing is wrong. */
    UT_SHM_ERR_NONE = TDSHM_OK,
    /** A segment of that name is already there. */
    UT_SHM_ERR_ALREADY_EXISTS = TDSHM_ERR_ALREADY_EXISTS,
    /** No segment of that name. */
    UT_SHM_ERR_DOES_NOT_EXIST = TDSHM_ERR_DOES_NOT_EXIST,
    /** Its info segment is already there: a living sender has the name. */
    UT_SHM_ERR_INFO_ALREADY_EXISTS = TDSHM_ERR_INFO_ALREADY_EXISTS,
    /** Its info segment is missing, or the sender has left. */
    UT_SHM_ERR_INFO_DOES_NOT_EXIST = TDSHM_ERR_INFO_DOES_NOT_EXIST,
    /** The mapping failed; also the state of a name or a size that cannot be. */
    UT_SHM_ERR_UNABLE_TO_MAP = TDSHM_ERR_UNABLE_TO_MAP,
    /** The info lock was not free within 5 seconds. */
    UT_SHM_ERR_UNABLE_TO_LOCK_INFO = TDSHM_ERR_UNABLE_TO_LOCK_INFO,
};

/** A named lock between processes. A process that dies with it never leaves it locked.
 *
 *  May be used from any thread; the thread that locked it unlocks it. Not recursive: the thread that has it gets true once
 *  more and still unlocks it once. */
class UT_Mutex {
public:
    /** Opens the lock whose object has that whole name, and makes it where it is missing. */
    explicit UT_Mutex(const ShmString &name)
    {
        const std::string utf8 = name.utf8();
        tdshm_lock_open(utf8.data(), utf8.size(), &lock_);
    }

    UT_Mutex(const UT_Mutex &) = delete;
    UT_Mutex &operator=(const UT_Mutex &) = delete;

    ~UT_Mutex() { tdshm_lock_free(lock_); }

    /** Takes the lock, waiting `timeout_ms` milliseconds at most. Whether it is held now. */
    bool lock(int timeout_ms = 5000)
    {
        if (holder_ == tdshm_classic::this_thread()) {
            return true;
        }
        const auto acquire = [this](std::int64_t left) { return tdshm_lock_acquire(lock_, left, nullptr); };
        const bool held = tdshm_classic::patiently(tdshm_classic::nanoseconds(timeout_ms), acquire) == TDSHM_OK;
        if (held) {
            holder_ = tdshm_classic::this_thread();
        }
        return held;
    }

    /** The same. */
    bool tryLock(int timeout_ms = 0) { return lock(timeout_ms); }

    /** Lets go of it. False where this thread does not hold it. */
    bool unlock()
    {
        if (holder_ != tdshm_classic::this_thread()) {
            return false;
        }
        holder_ = nullptr;
        const auto let_go = [this](std::int64_t) { return tdshm_lock_release(lock_); };
        return tdshm_classic::patiently(tdshm_classic::nanoseconds(5000), let_go) == TDSHM_OK;
    }

private:
    tdshm_lock_t *lock_ = nullptr;
    /** The thread that has it. Only that one ever finds itself here, so no order is needed. */
    tdshm_classic::Loose<const void *> holder_{nullptr};
};

/** Memory under a name, shared with TouchDesigner and with whoever else knows it.
 *
 *  Made with a size it sends, made without one it receives. What lies in it is the program's affair: a
 *  CHOP_SharedMemHeader or a TOP_SharedMemHeader for TouchDesigner's operators.
 *
 *  A receiver finds its sender whenever that comes, follows it when it resizes, and finds the next one when it has
 *  died or left: getMemory looks. A sender takes over what a dead sender of this library has left. What a sender writes
 *  between lock and unlock is a frame: receivers of this library are woken, and know that it is new.
 *
 *  The pointer that getMemory gives stays valid until getMemory is called again, and until resize and detach; on a
 *  receiver it may show what an old sender left there. May be used from any thread, but one at a time may hold the lock:
 *  the others wait for it in lock, resize and detach, and getMemory gives them what it gave last. */
class UT_SharedMem {
public:
    /** A receiver. getErrorState says whether there is a sender; there may come one later. */
    UT_SharedMem(const ShmString &name) : name_(name)
    {
        const std::string utf8 = name_.utf8();
        tdshm_receiver_options_t options = {};
        options.struct_size = sizeof options;
        options.keep_memory = 1;
        note(tdshm_receiver_open(utf8.data(), utf8.size(), &options, &receiver_));
        look();
    }

    /** A sender, with room for at least `size` bytes, all zero. getErrorState says whether it came to be. */
    UT_SharedMem(const ShmString &name, std::size_t size) : name_(name), sends_(true) { create(size); }

    UT_SharedMem(const UT_SharedMem &) = delete;
    UT_SharedMem &operator=(const UT_SharedMem &) = delete;

    /** Lets go of the lock, if this thread has it, and of the memory. Receivers of a sender are told that it left. */
    virtual ~UT_SharedMem()
    {
        tdshm_sender_free(sender_);
        tdshm_receiver_free(receiver_);
    }

    /** What is wrong, as of the last thing that was tried. A receiver without a sender looks for one first. */
    UT_SharedMemError getErrorState() const
    {
        if (receiver_ && state_ != UT_SHM_ERR_NONE) {
            look();
        }
        return state_;
    }

    /** A few words on a state. */
    static const char *getErrorString(UT_SharedMemError state)
    {
        return state == UT_SHM_ERR_NONE ? "" : tdshm_status_text(state);
    }

    /** A few words on the state of this one. */
    const char *getErrorString() const { return getErrorString(getErrorState()); }

    /** Takes the lock, waiting 5 seconds at most. Whether it was to be had; of a receiver without a sender that is true, and
     *  there is nothing to read. True as well for the thread that has it already: it is unlocked once all the same. */
    bool lock() { return tryLock(5000); }

    /** The same, waiting `timeout_ms` milliseconds at most. */
    bool tryLock(int timeout_ms)
    {
        if (mine()) {
            return true;
        }
        void *memory = nullptr;
        const auto take = [this, &memory](std::int64_t left) {
            // A receiver does not ask where the memory lies: what was given out stays where it is. A sender's does so anyway.
            const std::int64_t limit = left == patience() ? TDSHM_DEFAULT : left; // the same, and sooner said
            return sends_ ? tdshm_sender_lock(sender_, limit, &memory, nullptr, nullptr)
                          : tdshm_receiver_lock(receiver_, limit, nullptr, nullptr, nullptr);
        };
        const tdshm_status_t status = tdshm_classic::patiently(tdshm_classic::nanoseconds(timeout_ms), take);
        if (status != TDSHM_OK && status != TDSHM_NOTHING_YET) {
            return false;
        }
        empty_ = status == TDSHM_NOTHING_YET;
        if (empty_) {
            note_state(status);
        } else if (sends_) {
            told_ = memory;
        } else {
            state_ = UT_SHM_ERR_NONE;
        }
        holder_ = tdshm_classic::this_thread();
        return true;
    }

    /** Lets go of the lock. False where this thread does not hold it. */
    bool unlock()
    {
        if (!mine()) {
            return false;
        }
        holder_ = nullptr;
        if (empty_) {
            empty_ = false;
            return true;
        }
        loose_ = false;
        // Another thread that the system stopped in the midst of a call may be in the way for longer than the library waits.
        const auto let_go = [this](std::int64_t) {
            return sends_ ? tdshm_sender_unlock(sender_) : tdshm_receiver_unlock(receiver_);
        };
        return tdshm_classic::patiently(patience(), let_go) == TDSHM_OK;
    }

    /** Where the memory lies, with the lock or without it; NULL while there is none to read or to write.
     *
     *  A sender that writes without the lock wakes nobody: what it wrote is a frame at its next call of this. */
    void *getMemory()
    {
        if (sends_) {
            if (mine()) {
                return told_;
            }
            announce();
            loose_ = true;
            return told_of_sender();
        }
        if (mine() && empty_) {
            return nullptr;
        }
        void *memory = nullptr;
        const auto status = tdshm_receiver_memory(receiver_, &memory, nullptr);
        note_state(status);
        return told(status, memory);
    }

    /** Bytes that a sender asked for; 0 of a receiver, whose block says how large it is. */
    std::size_t getSize() const { return size_; }

    /** Gives a sender room for at least `size` bytes. What lay there lies there still, as far as it fits, until it is written
     *  anew: receivers follow by themselves. May be called with the lock, which is held again afterwards, and without it.
     *  A sender that could not come to be tries again. */
    bool resize(std::size_t size)
    {
        // The memory that is copied stays where it is: no other thread moves or leaves meanwhile.
        const Moving alone(*this);
        if (!sends_ || !alone.is()) {
            return false;
        }
        if (!sender_) {
            return !left_ && create(size);
        }
        void *memory = nullptr;
        std::size_t room = 0;
        tdshm_status_t status = tdshm_classic::patiently(
            patience(), [&](std::int64_t) { return tdshm_sender_memory(sender_, &memory, &room); });
        if (status != TDSHM_OK) {
            return note(status);
        }
        if (size != 0 && size <= room) {
            size_ = size;
            return true;
        }
        const bool held = mine();
        const std::size_t asked = size_;
        const std::size_t kept = room < asked ? room : asked;
        // Nobody else writes there, and a copy is needed where the old memory goes as the new one comes.
        std::unique_ptr<unsigned char[]> copy(kept > 0 && kept <= size ? new (std::nothrow) unsigned char[kept] : nullptr);
        if (copy) {
            std::memcpy(copy.get(), memory, kept);
        }
        if (held) {
            unlock();
        }
        status = tdshm_classic::patiently(patience(), [&](std::int64_t) {
            return tdshm_sender_resize(sender_, size, copy.get(), copy ? kept : 0);
        });
        if (status == TDSHM_OK) {
            size_ = size;
            told_of_sender();
        }
        const bool done = note(status);
        return (!held || lock()) && done;
    }

    /** Leaves. A sender tells its receivers, and the name is free at once. True where nobody else has the memory open any
     *  more; where that cannot be known, the second call says true. False, and it stays, where another thread keeps the
     *  lock for 5 seconds. */
    bool detach()
    {
        unlock();
        if (!sends_) {
            const auto close = [this](std::int64_t) { return tdshm_receiver_close(receiver_); };
            if (receiver_ && tdshm_classic::patiently(patience(), close) != TDSHM_OK) {
                return false;
            }
            told_ = nullptr;
            return true;
        }
        const Moving only(*this);
        if (!sender_) {
            return true;
        }
        if (!only.is()) {
            return false;
        }
        std::int32_t alone = 0;
        const auto leave = [this, &alone](std::int64_t) { return tdshm_sender_detach(sender_, &alone); };
        const tdshm_status_t status = tdshm_classic::patiently(patience(), leave);
        if (tdshm_classic::is_elsewhere(status)) {
            // Its memory is being written to, and freeing it would leave it locked.
            return false;
        }
        note(status);
        told_ = nullptr;
        tdshm_sender_free(sender_);
        sender_ = nullptr;
        size_ = 0;
        left_ = true;
        return status == TDSHM_OK && alone != 0;
    }

    /** The name. */
    ShmString getName() const { return name_; }

    /** Ours: waits until the sender has written since this was called last, for so many milliseconds at most. Whether it
     *  has. A sender of this library wakes it. Of others nobody knows: it says true after a millisecond, and the caller
     *  compares. */
    bool waitForFrame(int timeout_ms)
    {
        if (!receiver_) {
            return false;
        }
        const tdshm_status_t status = tdshm_receiver_wait(receiver_, tdshm_classic::nanoseconds(timeout_ms));
        return status == TDSHM_OK || status == TDSHM_NOT_KNOWN;
    }

private:
    bool mine() const { return holder_ == tdshm_classic::this_thread(); }

    bool create(std::size_t size)
    {
        const std::string utf8 = name_.utf8();
        tdshm_sender_t *made = nullptr;
        const tdshm_status_t status = tdshm_sender_create(utf8.data(), utf8.size(), size, nullptr, &made);
        sender_ = made;
        size_ = status == TDSHM_OK ? size : 0;
        if (status == TDSHM_OK) {
            told_of_sender();
        }
        return note(status);
    }

    /** Shows that no other thread resizes or detaches. */
    class Moving {
    public:
        explicit Moving(UT_SharedMem &it) : it_(it)
        {
            const auto claim = [this](std::int64_t) { return it_.moving_.exchange(true) ? TDSHM_ERR_IN_USE : TDSHM_OK; };
            claimed_ = tdshm_classic::patiently(patience(), claim) == TDSHM_OK;
        }
        Moving(const Moving &) = delete;
        Moving &operator=(const Moving &) = delete;
        ~Moving()
        {
            if (claimed_) {
                it_.moving_ = false;
            }
        }
        bool is() const { return claimed_; }

    private:
        UT_SharedMem &it_;
        bool claimed_ = false;
    };

    /** How long others are waited for. */
    static std::int64_t patience() { return tdshm_classic::nanoseconds(5000); }

    /** What getMemory gives; the last one while another thread is at it, for then nothing has moved. */
    void *told(tdshm_status_t status, void *memory)
    {
        if (tdshm_classic::is_elsewhere(status)) {
            return told_;
        }
        void *const now = status == TDSHM_OK ? memory : nullptr;
        told_ = now;
        return now;
    }

    void *told_of_sender()
    {
        void *memory = nullptr;
        const tdshm_status_t status = tdshm_sender_memory(sender_, &memory, nullptr);
        return told(status, memory);
    }

    /** A frame of what was written without the lock since the last call. */
    void announce()
    {
        if (loose_ && tdshm_sender_try_lock(sender_, nullptr, nullptr, nullptr) == TDSHM_OK) {
            tdshm_sender_unlock(sender_);
        }
    }

    /** Looks for the sender, where this thread does not hold its lock. */
    void look() const
    {
        if (receiver_ && !mine()) {
            // Not by asking for the memory: what was given out is to stay.
            const auto status = tdshm_receiver_try_lock(receiver_, nullptr, nullptr, nullptr);
            note_state(status);
            if (status == TDSHM_OK) {
                tdshm_receiver_unlock(receiver_);
            }
        }
    }

    /** Remembers what came of something; whether it worked. */
    bool note(tdshm_status_t status) const
    {
        if (tdshm_classic::is_elsewhere(status)) {
            // Another thread's business, and nothing is wrong with the memory.
            return false;
        }
        const bool known = status >= TDSHM_OK && status <= TDSHM_ERR_UNABLE_TO_LOCK_INFO;
        state_ = known ? static_cast<UT_SharedMemError>(status) : UT_SHM_ERR_UNABLE_TO_MAP;
        return status == TDSHM_OK;
    }

    /** The same for a look, after which a receiver knows its state. */
    void note_state(tdshm_status_t looked) const
    {
        tdshm_status_t state = TDSHM_OK;
        if (looked <= TDSHM_OK && tdshm_receiver_state(receiver_, &state) == TDSHM_OK) {
            note(state);
        } else {
            note(looked);
        }
    }

    ShmString name_;
    bool sends_ = false;
    tdshm_classic::Loose<bool> left_{false};
    /** The lock is held for a receiver that has no sender. */
    tdshm_classic::Loose<bool> empty_{false};
    /** The memory was given out without the lock, and nothing was locked since. */
    tdshm_classic::Loose<bool> loose_{false};
    std::atomic<tdshm_sender_t *> sender_{nullptr};
    tdshm_receiver_t *receiver_ = nullptr;
    tdshm_classic::Loose<std::size_t> size_{0};
    /** A thread resizes or detaches. */
    std::atomic<bool> moving_{false};
    /** What getMemory gave last. */
    tdshm_classic::Loose<void *> told_{nullptr};
    mutable tdshm_classic::Loose<UT_SharedMemError> state_{UT_SHM_ERR_NONE};
    /** The thread that has the lock. Only that one ever finds itself here, so no order is needed. */
    tdshm_classic::Loose<const void *> holder_{nullptr};
};

#endif
