// Receives images and prints the colour in the middle of each: from `send_image`, from `tdshm send picture --test-pattern
// 320x180`, or from a Shared Mem Out TOP whose Shared Mem Name is `picture`. Ends when nothing has come for five seconds.

#include <tdshm/tdshm.hpp>

#include <iostream>
#include <vector>

int main(int argc, char **argv)
try {
    tdshm::top_receiver in(argc > 1 ? argv[1] : "picture"); // its sender may come later
    std::vector<float> rgba;
    while (auto frame = in.next(std::chrono::seconds(5))) {
        std::cout << frame.width() << " x " << frame.height() << ' ' << tdshm::name_of(frame.format());
        // Whatever the format: red, green, blue and alpha as floats, the top row first.
        rgba.resize(std::size_t{4} * frame.width() * frame.height());
        std::error_code unknown;
        in.convert(tdshm::rgba::f32, tdshm::writable_bytes_of(rgba), tdshm::rows::top_first, 0, tdshm::encoding::usual, unknown);
        if (!unknown) {
            const std::size_t middle = 4 * (frame.height() / 2 * std::size_t{frame.width()} + frame.width() / 2);
            std::cout << ": " << rgba[middle] << ' ' << rgba[middle + 1] << ' ' << rgba[middle + 2];
        }
        std::cout << ", " << frame.missed().value_or(0) << " missed" << std::endl;
    }
} catch (const tdshm::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
