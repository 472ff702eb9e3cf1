// What bench/benches/cpp.rs measures against Rust: the same work through tdshm.hpp, in a program of its own, linked as most are.
// It is told on its standard input what to do how often, and answers how long that took. `cargo xtask bench` builds it.

#include <tdshm/UT_SharedMem.h>
#include <tdshm/tdshm.hpp>

#include <cstring>
#include <iostream>

namespace {

/** Nanoseconds that so many calls take. */
template <class Work> long long measured(long rounds, Work work)
{
    const auto begin = std::chrono::steady_clock::now();
    for (long round = 0; round < rounds; ++round) {
        work();
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 5) {
        std::cerr << "rows LOCK SEGMENT CHANNELS IMAGES\n";
        return 2;
    }
    tdshm::lock lock(argv[1]);
    UT_SharedMem segment(ShmString(argv[2]), 4096);
    tdshm::chop_sender channels(argv[3]);
    tdshm::top_sender images(argv[4]);
    const std::vector<float> samples(64, 0.5F);
    const std::vector<std::byte> pixels(std::size_t{1920} * 1080 * 4, std::byte{7});
    tdshm::image image;
    image.format = tdshm::format::r8g8b8a8_unorm;
    image.width = 1920;
    image.height = 1080;
    image.rows = tdshm::rows::bottom_first;
    image.bytes = {pixels.data(), pixels.size()};

    std::string what;
    for (long rounds = 0; std::cin >> what >> rounds;) {
        long long took = -1;
        if (what == "lock") {
            took = measured(rounds, [&] { (void)lock.acquire(); });
        } else if (what == "segment") {
            took = measured(rounds, [&] {
                segment.lock();
                std::memcpy(segment.getMemory(), samples.data(), samples.size() * sizeof(float));
                segment.unlock();
            });
        } else if (what == "channels") {
            const float *const from = samples.data();
            took = measured(rounds, [&] { channels.send({from, 64}, 1); });
        } else if (what == "image") {
            took = measured(rounds, [&] { images.send(image); });
        }
        std::cout << took << std::endl;
    }
}
