// Sends a circle: two channels, 60 frames a second, for ten seconds. Receive it with `receive`, with `tdshm watch circle`, or
// with a Shared Mem In CHOP whose Shared Mem Name is `circle`.

// snippet:begin
#include <tdshm/tdshm.hpp>

#include <array>
#include <cmath>
#include <iostream>
#include <thread>

int main(int argc, char **argv)
try {
    tdshm::chop_sender_options options;
    options.channels = {"tx", "ty"};
    options.sample_rate = 60;
    tdshm::chop_sender out(argc > 1 ? argv[1] : "circle", options);
    for (int step = 0; step < 600; ++step) {
        const float angle = static_cast<float>(step) / 30;
        const std::array<float, 2> samples{std::cos(angle), std::sin(angle)};
        out.send(samples, 1); // one sample of each channel
        std::this_thread::sleep_for(std::chrono::milliseconds(16));
    }
} catch (const tdshm::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
// snippet:end
