/* Of tdshm.hpp: spans, errors, and what owns a handle. */
#ifndef TDSHM_BASE_HPP
#define TDSHM_BASE_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "tdshm needs C++17: -std=c++17, with Visual C++ /std:c++17, with CMake set(CMAKE_CXX_STANDARD 17)"
#endif

#include "tdshm.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_span
#include <span>
#endif

#if !defined(TDSHM_NO_EXCEPTIONS) && !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
/** Nothing is thrown: an error that no std::error_code was given for ends the program. */
#define TDSHM_NO_EXCEPTIONS
#endif

namespace tdshm {

/** Elements one behind the other that belong to somebody else: std::span, for C++17. */
template <class T> class span {
public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using size_type = std::size_t;
    using iterator = T *;

    constexpr span() noexcept = default;
    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <std::size_t N> constexpr span(T (&array)[N]) noexcept : data_(array), size_(N) {}
    /** Of whatever has data() and size(): vectors, arrays, strings, std::span. */
    template <class C, class D = decltype(std::data(std::declval<C &>())),
              class = std::enable_if_t<std::is_convertible_v<std::remove_pointer_t<D> (*)[], T (*)[]> &&
                                       !std::is_array_v<std::remove_reference_t<C>>>,
              class = decltype(std::size(std::declval<C &>()))>
    constexpr span(C &&container) noexcept : data_(std::data(container)), size_(std::size(container))
    {
    }
    /** Of elements that are written out. They live until the end of the call that they are given to. */
    template <class U = T, class = std::enable_if_t<std::is_const_v<U>>>
    constexpr span(std::initializer_list<value_type> list) noexcept : size_(list.size())
    {
        data_ = list.begin();
    }
#ifdef __cpp_lib_span
    constexpr operator std::span<T>() const noexcept { return {data_, size_}; }
#endif

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr std::size_t size_bytes() const noexcept { return size_ * sizeof(T); }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }
    constexpr T &front() const noexcept { return data_[0]; }
    constexpr T &back() const noexcept { return data_[size_ - 1]; }
    /** So many elements from `offset` on, or as many as there are. */
    constexpr span subspan(std::size_t offset, std::size_t count = static_cast<std::size_t>(-1)) const noexcept
    {
        const std::size_t from = offset < size_ ? offset : size_;
        const std::size_t rest = size_ - from;
        return {data_ + from, count < rest ? count : rest};
    }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

/** A status of the C library that is an error, as a std::error_code knows it: TDSHM_ERR_... */
enum class errc : int {
    already_exists = TDSHM_ERR_ALREADY_EXISTS,
    does_not_exist = TDSHM_ERR_DOES_NOT_EXIST,
    info_already_exists = TDSHM_ERR_INFO_ALREADY_EXISTS,
    info_does_not_exist = TDSHM_ERR_INFO_DOES_NOT_EXIST,
    unable_to_map = TDSHM_ERR_UNABLE_TO_MAP,
    unable_to_lock_info = TDSHM_ERR_UNABLE_TO_LOCK_INFO,
    name = TDSHM_ERR_NAME,
    lock_timeout = TDSHM_ERR_LOCK_TIMEOUT,
    already_held = TDSHM_ERR_ALREADY_HELD,
    not_a_lock = TDSHM_ERR_NOT_A_LOCK,
    unrecoverable = TDSHM_ERR_UNRECOVERABLE,
    forked = TDSHM_ERR_FORKED,
    stuck = TDSHM_ERR_STUCK,
    not_ours = TDSHM_ERR_NOT_OURS,
    too_small = TDSHM_ERR_TOO_SMALL,
    bad_info = TDSHM_ERR_BAD_INFO,
    bad_size = TDSHM_ERR_BAD_SIZE,
    os = TDSHM_ERR_OS,
    no_room = TDSHM_ERR_NO_ROOM,
    only_observed = TDSHM_ERR_ONLY_OBSERVED,
    too_many_slots = TDSHM_ERR_TOO_MANY_SLOTS,
    block = TDSHM_ERR_BLOCK,
    argument = TDSHM_ERR_ARGUMENT,
    handle = TDSHM_ERR_HANDLE,
    in_use = TDSHM_ERR_IN_USE,
    not_locked = TDSHM_ERR_NOT_LOCKED,
    wrong_thread = TDSHM_ERR_WRONG_THREAD,
    panic = TDSHM_ERR_PANIC,
    detached = TDSHM_ERR_DETACHED,
    unfinished = TDSHM_ERR_UNFINISHED,
    text = TDSHM_ERR_TEXT,
    struct_size = TDSHM_ERR_STRUCT_SIZE,
    buffer = TDSHM_ERR_BUFFER,
    format = TDSHM_ERR_FORMAT,
    too_many_handles = TDSHM_ERR_TOO_MANY_HANDLES,
    other = TDSHM_ERR_OTHER,
};

/** What a program may do about an error. */
enum class kind : int {
    none = TDSHM_KIND_NONE,
    /** Trying again soon may work. */
    retry = TDSHM_KIND_RETRY,
    /** There is nothing of that name yet. */
    absent = TDSHM_KIND_ABSENT,
    /** Somebody else has it. */
    busy = TDSHM_KIND_BUSY,
    /** It was there and has gone. */
    gone = TDSHM_KIND_GONE,
    /** The argument or the rights are wrong. */
    refused = TDSHM_KIND_REFUSED,
    /** What is there does not follow the protocol. */
    broken = TDSHM_KIND_BROKEN,
    /** The program uses this library wrongly. */
    misuse = TDSHM_KIND_MISUSE,
};

/** The category of all error codes of this library. Their conditions are those of std::errc that people ask for. */
inline const std::error_category &category() noexcept
{
    class ours final : public std::error_category {
    public:
        const char *name() const noexcept override { return "tdshm"; }
        std::string message(int status) const override { return tdshm_status_text(status); }
        std::error_condition default_error_condition(int status) const noexcept override
        {
            switch (status) {
            case TDSHM_ERR_LOCK_TIMEOUT:
            case TDSHM_ERR_UNABLE_TO_LOCK_INFO:
                return std::errc::timed_out;
            case TDSHM_ERR_ALREADY_HELD:
                return std::errc::resource_deadlock_would_occur;
            case TDSHM_ERR_ALREADY_EXISTS:
            case TDSHM_ERR_INFO_ALREADY_EXISTS:
                return std::errc::file_exists;
            case TDSHM_ERR_NO_ROOM:
                return std::errc::not_enough_memory;
            default:
                break;
            }
            switch (tdshm_status_kind(status)) {
            case TDSHM_KIND_ABSENT:
            case TDSHM_KIND_GONE:
                return std::errc::no_such_file_or_directory;
            case TDSHM_KIND_BUSY:
                return std::errc::device_or_resource_busy;
            case TDSHM_KIND_MISUSE:
                return std::errc::invalid_argument;
            default:
                return {status, *this};
            }
        }
    };
    static const ours one;
    return one;
}

inline std::error_code make_error_code(errc status) noexcept { return {static_cast<int>(status), category()}; }

/** What a program may do about an error; none for a code of somebody else. */
inline kind kind_of(const std::error_code &code) noexcept
{
    return code.category() == category() ? static_cast<kind>(tdshm_status_kind(code.value())) : kind::none;
}

/** The sentence that goes with the last error on this thread: names, numbers, and what to do. */
inline std::string last_error() { return tdshm_last_error(); }

/** The version of the library that runs: major times 65536, minor times 256, patch. */
inline std::uint32_t version() noexcept { return tdshm_version(); }
/** The same as a text. */
inline std::string_view version_text() { return tdshm_version_text(); }

/** What could not be done. what() is a sentence with the names, the numbers and what to do. */
class error : public std::runtime_error {
public:
    error(const std::error_code &code, const std::string &text) : std::runtime_error(text), code_(code) {}
    /** Its number, of category(). */
    const std::error_code &code() const noexcept { return code_; }
    /** What to do about it. */
    tdshm::kind kind() const noexcept { return kind_of(code_); }

private:
    std::error_code code_;
};

/** Where errors go: thrown, where nothing is given; into a std::error_code, where that is given. */
class on_error {
public:
    on_error() noexcept = default;
    on_error(std::error_code &code) noexcept : code_(&code) { code.clear(); }

    /** Whether it is no error. */
    bool passes(tdshm_status_t status) const
    {
        if (status <= TDSHM_OK) {
            return true;
        }
        const std::error_code code(status, category());
        if (code_) {
            *code_ = code;
            return false;
        }
        fail(code, tdshm_last_error());
    }

    /** Says what is wrong before the C library is asked. */
    void refuse(errc status, const char *text) const
    {
        if (code_) {
            *code_ = {static_cast<int>(status), category()};
            return;
        }
        fail({static_cast<int>(status), category()}, text);
    }

    /** Whether it was done, and not merely no error. */
    bool done(tdshm_status_t status) const { return passes(status) && status == TDSHM_OK; }

private:
    [[noreturn]] static void fail(const std::error_code &code, const char *text)
    {
#ifndef TDSHM_NO_EXCEPTIONS
        throw error(code, text);
#else
        (void)code;
        (void)text;
        std::terminate();
#endif
    }
    std::error_code *code_ = nullptr;
};

/** Whether there is a sender, as of the last look. */
enum class attached : int {
    /** There has not been one, as far as this receiver saw. */
    not_yet = TDSHM_ATTACHED_NOT_YET,
    /** There is. */
    yes = TDSHM_ATTACHED_YES,
    /** There was one, and it left. */
    left = TDSHM_ATTACHED_LEFT,
    /** There was one, and its process died. Known of senders of this library alone. */
    died = TDSHM_ATTACHED_DIED,
};

/** What has happened to a segment, as one side of it saw. */
struct stats {
    /** The process that sends; nothing while nobody does, and of a foreign sender. */
    std::optional<std::uint32_t> sender_pid;
    /** Bytes of data that are mapped. */
    std::uint64_t mapped_bytes = 0;
    /** How often the data has moved to another segment. */
    std::uint64_t resizes = 0;
    /** How often the data lock was found to have been left by a process that died with it. */
    std::uint64_t abandoned = 0;
};

/** What all senders can be told when they are created. */
struct sender_options {
    /** Unix permission bits of the objects; 0 stands for 0600. Windows ignores it. */
    std::uint32_t mode = 0;
    /** Takes the name also where a foreign program has it, of which nobody can tell whether it lives. */
    bool take_over = false;
    /** Where a resize stops reserving twice what is needed; 0 stands for 256 MiB. */
    std::uint64_t room_ceiling_bytes = 0;
    /** How long to wait for a lock. */
    std::chrono::nanoseconds lock_limit = std::chrono::seconds(5);
};

/** What all receivers can be told when they are opened. */
struct receiver_options {
    /** Only observes: takes no lock and no entry with the sender, which is never delayed by it. */
    bool observe = false;
    /** How long to wait for a lock. */
    std::chrono::nanoseconds lock_limit = std::chrono::seconds(5);
    /** How long `next` looks without a pause before it sleeps: what it gains is the time that waking up takes. */
    std::chrono::nanoseconds spin{0};
    /** Images: which row lies first in the segment (TDSHM_ROWS_...), where the sender does not follow TouchDesigner. */
    std::int32_t stored_rows = 0;
};

namespace detail {

struct freeing {
    void operator()(tdshm_lock_t *handle) const noexcept { tdshm_lock_free(handle); }
    void operator()(tdshm_sender_t *handle) const noexcept { tdshm_sender_free(handle); }
    void operator()(tdshm_receiver_t *handle) const noexcept { tdshm_receiver_free(handle); }
    void operator()(tdshm_chop_sender_t *handle) const noexcept { tdshm_chop_sender_free(handle); }
    void operator()(tdshm_chop_receiver_t *handle) const noexcept { tdshm_chop_receiver_free(handle); }
    void operator()(tdshm_top_sender_t *handle) const noexcept { tdshm_top_sender_free(handle); }
    void operator()(tdshm_top_receiver_t *handle) const noexcept { tdshm_top_receiver_free(handle); }
    void operator()(tdshm_list_t *handle) const noexcept { tdshm_list_free(handle); }
    void operator()(tdshm_swept_t *handle) const noexcept { tdshm_swept_free(handle); }
    void operator()(tdshm_examination_t *handle) const noexcept { tdshm_examination_free(handle); }
};

/** Lets go of a lock or a view, which does not fail on its own thread: but another one that the system stopped in the midst
 *  of a call with the same object may be in the way for longer than the library waits. */
template <class End> void let_go(End end) noexcept
{
    for (int tries = 0; end() == TDSHM_ERR_IN_USE && tries < 50000; ++tries) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
}

/** What frees a handle once. */
template <class Handle> using owned = std::unique_ptr<Handle, freeing>;

/** A structure of the C library, all zero but for its size. */
template <class Struct> Struct sized() noexcept
{
    Struct one = {};
    one.struct_size = static_cast<std::uint32_t>(sizeof(Struct));
    return one;
}

inline tdshm_text_t text(std::string_view text) noexcept
{
    tdshm_text_t one = {};
    one.text = text.data();
    one.bytes = text.size();
    return one;
}

inline std::string_view text(const tdshm_text_t &text) noexcept
{
    return {text.text ? text.text : "", text.bytes};
}

/** A limit as the options have it, where 0 is not "do not wait". */
inline std::int64_t option(std::chrono::nanoseconds limit) noexcept
{
    return limit.count() > 0 ? limit.count() : 1;
}

inline std::optional<std::uint64_t> known(std::int64_t number) noexcept
{
    return number < 0 ? std::nullopt : std::optional<std::uint64_t>(static_cast<std::uint64_t>(number));
}

inline std::optional<std::chrono::nanoseconds> known_time(std::int64_t ns) noexcept
{
    return ns < 0 ? std::nullopt : std::optional<std::chrono::nanoseconds>(std::chrono::nanoseconds(ns));
}

inline stats from(const tdshm_stats_t &found)
{
    stats all;
    if (found.sender_pid != 0) {
        all.sender_pid = found.sender_pid;
    }
    all.mapped_bytes = found.mapped_bytes;
    all.resizes = found.resizes;
    all.abandoned = found.abandoned;
    return all;
}

/** Reads a name with a function that copies one. */
template <class Copy> std::string copied(const on_error &errors, Copy copy)
{
    std::size_t needed = 0;
    if (!errors.passes(copy(nullptr, std::size_t{0}, &needed)) || needed == 0) {
        return {};
    }
    std::string name(needed, '\0');
    if (!errors.passes(copy(name.data(), name.size(), &needed))) {
        return {};
    }
    name.resize(needed - 1);
    return name;
}

} // namespace detail
} // namespace tdshm

template <> struct std::is_error_code_enum<tdshm::errc> : std::true_type {};

#endif
