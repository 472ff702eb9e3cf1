/* What tdshm.hpp promises inside of one process: errors thrown and errors as codes, what is moved, views and drafts that end
 * by themselves, discovery, conversion. Built without exceptions as well. */
#include <tdshm/tdshm.hpp>

#include "checks.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

using namespace std::chrono_literals;

template <class T> constexpr bool moves_only =
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> && !std::is_copy_constructible_v<T> &&
    !std::is_copy_assignable_v<T>;
static_assert(moves_only<tdshm::lock> && moves_only<tdshm::lock_guard>);
static_assert(moves_only<tdshm::sender> && moves_only<tdshm::receiver>);
static_assert(moves_only<tdshm::write_guard> && moves_only<tdshm::read_guard>);
static_assert(moves_only<tdshm::chop_sender> && moves_only<tdshm::chop_receiver>);
static_assert(moves_only<tdshm::chop_draft> && moves_only<tdshm::chop_view>);
static_assert(moves_only<tdshm::top_sender> && moves_only<tdshm::top_receiver>);
static_assert(moves_only<tdshm::top_draft> && moves_only<tdshm::top_view>);
static_assert(std::is_convertible_v<std::vector<float> &, tdshm::span<const float>>);
static_assert(std::is_convertible_v<std::vector<float> &, tdshm::span<float>>);
static_assert(!std::is_convertible_v<const std::vector<float> &, tdshm::span<float>>);
static_assert(!std::is_convertible_v<std::vector<double> &, tdshm::span<const float>>);
static_assert(std::is_convertible_v<tdshm::span<float>, tdshm::span<const float>>);
#ifdef __cpp_lib_span
static_assert(std::is_convertible_v<tdshm::span<float>, std::span<float>>);
static_assert(std::is_convertible_v<std::span<float>, tdshm::span<float>>);
#endif

static void errors(const std::string &name)
{
    std::error_code code;
    const tdshm::chop_sender first(name, {}, code);
    CHECK(!code);
    const tdshm::chop_sender second(name, {}, code);
    CHECK(code == tdshm::errc::info_already_exists && code == std::errc::file_exists);
    CHECK(tdshm::kind_of(code) == tdshm::kind::busy && code.category().name() == std::string("tdshm"));
    CHECK(tdshm::last_error().find(name) != std::string::npos && !code.message().empty());
    CHECK(second.handle() == nullptr);
    const tdshm::chop_sender empty("", {}, code);
    CHECK(code == tdshm::errc::name && tdshm::kind_of(code) == tdshm::kind::refused);
    (void)tdshm::inspect("nobodysendsthis", code);
    CHECK(code == std::errc::no_such_file_or_directory);
    (void)first.frames(code);
    CHECK(!code);
    CHECK(tdshm::version() == TDSHM_VERSION && tdshm::version_text() == TDSHM_VERSION_TEXT);
#ifndef TDSHM_NO_EXCEPTIONS
    bool thrown = false;
    try {
        const tdshm::chop_sender third(name);
    } catch (const tdshm::error &error) {
        thrown = error.code() == tdshm::errc::info_already_exists && error.kind() == tdshm::kind::busy &&
                 std::string(error.what()).find(name) != std::string::npos;
    }
    CHECK(thrown);
#endif
}

static void channels(const std::string &name)
{
    std::error_code code;
    tdshm::chop_sender_options options;
    options.channels = {"tx", "ty"};
    options.sample_rate = 120;
    tdshm::chop_sender out(name, options, code);
    CHECK(!code && out.name(code) == name);
    tdshm::chop_receiver in(name, {}, code);
    CHECK(!in.try_next(code) && !code && in.attached(code) == tdshm::attached::yes);

    out.send({1, 2, 3, 4}, 2, code);
    CHECK(!code);
    auto frame = in.next(5s, code);
    CHECK(frame && frame.num_channels() == 2 && frame.len_samples() == 2 && frame.sample_rate() == 120);
    CHECK(frame.channel("ty").front() == 3 && frame.channel(1).back() == 4 && frame.name(0) == "tx");
    CHECK(frame.channel(2).empty() && frame.channel("tz").empty() && !frame.find("tz") && frame.name(2).empty());
    CHECK(frame.number() == 1U && frame.missed() == 0U && frame.age() && *frame.age() < 60s && !frame.abandoned());
    CHECK(!in.try_next(code) && in.frame(code).samples()[2] == 3);

    const std::vector<float> three{1, 2, 3};
    out.send(three, 2, code);
    CHECK(code == tdshm::errc::argument);
    out.send(three, 1, code);
    CHECK(code == tdshm::errc::block && out.frames(code) == 1);
    const std::array<const float *, 2> rows{three.data(), three.data() + 1};
    out.send_rows(rows, 2, code);
    CHECK(!code && in.next(5s, code).channel(1)[1] == 3);

    {
        auto draft = out.begin(2, 3, code);
        CHECK(draft && draft.samples().size() == 6 && draft.channel(1).size() == 3 && draft.channel(2).empty());
        draft.channel(1)[2] = 42;
        out.send(three, 1, code);
        CHECK(code == tdshm::errc::unfinished);
        tdshm::chop_draft moved = std::move(draft);
        CHECK(moved && !draft);
        moved.commit(code);
        CHECK(!code && !moved);
        CHECK(in.next(5s, code).channel(1)[2] == 42);
        (void)out.begin(2, 1, code); // thrown away at once
    }
    out.send({5, 6}, 1, code);
    CHECK(!code && in.next(5s, code).channel(0)[0] == 5);

    {
        auto view = in.view(code);
        CHECK(view && view.samples().size() == 2 && view.samples()[1] == 6);
        auto moved = std::move(view);
        CHECK(moved && !view);
        out.set_lock_limit(1ms, code);
        CHECK(!in_a_thread([&] {
            std::error_code busy;
            out.send({7, 8}, 1, busy);
            return busy != std::errc::timed_out;
        }));
    }
    out.set_lock_limit(5s, code);
    out.send({9, 10}, 1, code);
    std::array<float, 2> into{};
    CHECK(!code && in.read_into(into, code) && into[1] == 10);

    const auto info = tdshm::inspect(name, code);
    CHECK(!code && info.name == name && info.holds == tdshm::holds::channels && info.is_ours && info.owner_alive);
    CHECK(info.num_channels == 2 && info.sample_rate == 120 && info.channels.size() == 2 && info.channels[1] == "ty");
    CHECK(info.receivers.size() == 1 && info.receivers[0].alive && info.owner_pid == info.receivers[0].pid);
    bool listed = false;
    for (const auto &one : tdshm::list(code)) {
        listed = listed || one.name == name;
    }
    CHECK(listed);
    const auto examined = tdshm::examine(name, code);
    CHECK(!code && examined.fields.size() > 10 && examined.deviations.empty());
    const auto stats = in.stats(code);
    CHECK(stats.sender_pid && stats.mapped_bytes >= 4096 && stats.resizes == 0);

    out.detach(code);
    CHECK(!code && !in.read(code) && in.attached(code) == tdshm::attached::left);
    out.send({1, 2}, 1, code);
    CHECK(code == tdshm::errc::detached);
}

static void images(const std::string &name)
{
    std::error_code code;
    tdshm::top_sender out(name, {}, code);
    tdshm::top_receiver in(name, {}, code);
    const std::vector<std::uint32_t> pixels{0xff0000ff, 0xff00ff00, 0xffff0000, 0xffffffff, 1, 2};
    tdshm::image image;
    image.format = tdshm::format::r8g8b8a8_unorm;
    image.width = 3;
    image.height = 2;
    image.rows = tdshm::rows::top_first;
    image.bytes = tdshm::bytes_of(pixels);
    out.send(image, code);
    CHECK(!code);
    auto frame = in.next(5s, code);
    CHECK(frame && frame.width() == 3 && frame.height() == 2 && frame.format() == image.format && frame.row_bytes() == 12);
    CHECK(frame.bytes().size() == 24 && frame.rows() == tdshm::rows::bottom_first && !frame.colour());
    CHECK(std::equal(frame.row(0).begin(), frame.row(0).end(), image.bytes.begin()) && frame.row(2).empty());
    CHECK(!out.keep(image, code) && !code);

    std::vector<float> rgba(24);
    CHECK(in.convert(tdshm::rgba::f32, tdshm::writable_bytes_of(rgba), tdshm::rows::top_first, 0, tdshm::encoding::usual, code));
    CHECK(rgba[0] == 1 && rgba[1] == 0 && rgba[3] == 1 && rgba[5] == 1);
    std::vector<unsigned char> eight(24);
    tdshm::convert(image, tdshm::rgba::u8, tdshm::writable_bytes_of(eight), tdshm::rows::bottom_first, 0,
                   tdshm::encoding::usual, tdshm::encoding::usual, code);
    CHECK(!code && eight[12] == 255 && eight[13] == 0);
    std::vector<std::uint32_t> copy(6);
    CHECK(in.read_into(tdshm::writable_bytes_of(copy), tdshm::rows::top_first, 0, code) && copy == pixels);

    auto draft = out.begin(tdshm::format::r32_sfloat, 4, 2, code);
    CHECK(draft && draft.stride_bytes() == 16 && draft.bytes().size() == 32 && draft.row(2).empty());
    const float one = 1;
    std::memcpy(draft.row(0).data(), &one, sizeof one);
    draft.commit(code);
    CHECK(!code);
    frame = in.next(5s, code);
    float found = 0;
    std::memcpy(&found, frame.row(0).data(), sizeof found);
    CHECK(frame.format() == tdshm::format::r32_sfloat && found == 1);
    {
        const auto view = in.view(code);
        CHECK(view && view.width() == 4);
    }
    out.set_colour(tdshm::colour{2, 1}, code);
    out.send(image, code);
    CHECK(code == tdshm::errc::block); // its header has no room for that
    out.set_colour(std::nullopt, code);
    out.send(image, code);
    CHECK(!code && !in.next(5s, code).colour());
    out.detach(code);
    tdshm::top_sender_options options;
    options.colour = tdshm::colour{2, 1};
    out = tdshm::top_sender(name, options, code);
    out.send(image, code);
    CHECK(!code);
    frame = in.next(5s, code);
    CHECK(frame.colour() && frame.colour()->transfer == 1 && frame.header() == tdshm::header::v2);
    image.width = 0;
    out.send(image, code);
    CHECK(code == tdshm::errc::block || code == tdshm::errc::argument);
    CHECK(tdshm::name_of(tdshm::format::r8_unorm) == "R8_UNORM" && tdshm::format_of("rgba8") == tdshm::format::r8g8b8a8_unorm);
    CHECK(tdshm::info_of(tdshm::format::r8g8b8a8_srgb)->is_srgb && !tdshm::info_of(static_cast<tdshm::format>(12345)));
    CHECK(tdshm::inspect(name, code).width == 3 && !code);
}

static void segments(const std::string &name)
{
    std::error_code code;
    tdshm::sender out(name, 64, {}, code);
    tdshm::receiver in(name, {}, code);
    CHECK(!code && out.mapped_bytes(code) >= 64);
    {
        auto held = out.lock(code);
        CHECK(held && held.memory().size() >= 64 && !held.abandoned());
        held.memory()[0] = std::byte{7};
        CHECK(!out.try_lock(code) && code == tdshm::errc::already_held);
        tdshm::write_guard moved = std::move(held);
        CHECK(moved && !held);
    }
    CHECK(in.wait(5s, code) && !in.wait(0s, code));
    {
        auto held = in.lock(code);
        CHECK(held && held.memory()[0] == std::byte{7});
        CHECK(!in_a_thread([&] {
            std::error_code busy;
            return static_cast<bool>(out.try_lock(busy));
        }));
        CHECK(!in_a_thread([&] {
            std::error_code busy;
            return static_cast<bool>(out.lock_for(5ms, busy)) || busy != std::errc::timed_out;
        }));
    }
    const std::string begins = "begins";
    out.resize(1 << 20, tdshm::bytes_of(begins), code);
    CHECK(!code && out.mapped_bytes(code) >= 1 << 20);
    CHECK(static_cast<char>(in.lock(code).memory()[0]) == 'b');
    CHECK(in.stats(code).resizes == 1);

    auto lock = tdshm::lock::of_segment(name, code);
    CHECK(!code && lock.name(code) == "TouchSHM" + name + "Mutex");
    {
        const auto held = lock.acquire(1s, code);
        CHECK(held && !held.abandoned());
        CHECK(!out.lock(code) && code == std::errc::resource_deadlock_would_occur);
    }
    CHECK(lock.try_acquire(code) && !code);
    out.detach(code);
    CHECK(!in.lock(code) && !code && in.attached(code) == tdshm::attached::left);
    in.close(code);
    CHECK(!code);
}

/** A guard lets go of its lock, also where another thread asks the same object for something else meanwhile. */
static void guards(const std::string &name)
{
    std::error_code code;
    tdshm::sender out(name, 64, {}, code);
    tdshm::receiver in(name, {}, code);
    CHECK(!code);
    std::atomic<int> which{0};
    std::atomic<int> failed{0};
    std::atomic<bool> locked{false};
    std::atomic<bool> done{false};
    together(2, [&] {
        std::error_code problem;
        if (which++ == 0) {
            while (!done) {
                if (locked) {
                    in.wait(1ms, problem);
                }
            }
            return;
        }
        for (int i = 0; i < 50; ++i) {
            {
                tdshm::read_guard guard;
                while (!guard) {
                    guard = in.lock(problem);
                }
                locked = true;
            }
            locked = false;
            failed += !out.try_lock(problem);
        }
        done = true;
    });
    CHECK(failed == 0);
}

int main(int argc, char **argv)
{
    const std::string name = argc > 1 ? argv[1] : "modernchecks";
    errors(name);
    channels(name);
    images(name);
    segments(name);
    guards(name);
    std::error_code code;
    const std::vector<std::string> names{name};
    CHECK(tdshm::clean({}, tdshm::dry_run::no, code).empty());
    (void)tdshm::clean(names, tdshm::dry_run::yes, code);
    CHECK(!code);
    return done();
}
