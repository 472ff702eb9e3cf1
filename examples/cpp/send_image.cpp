// Sends an image that moves: 320 x 180 pixels, 60 frames a second, for ten seconds. Receive it with `receive_image`, with `tdshm
// watch picture`, or with a Shared Mem In TOP whose Shared Mem Name is `picture`.

#include <tdshm/tdshm.hpp>

#include <iostream>
#include <thread>
#include <vector>

int main(int argc, char **argv)
try {
    constexpr std::uint32_t width = 320, height = 180;
    tdshm::top_sender out(argc > 1 ? argv[1] : "picture");
    std::vector<unsigned char> pixels(width * height * 4);

    tdshm::image image;
    image.format = tdshm::format::r8g8b8a8_unorm;
    image.width = width;
    image.height = height;
    image.rows = tdshm::rows::top_first; // as in picture files; OpenGL has the bottom row first
    image.bytes = tdshm::bytes_of(pixels);

    for (std::uint32_t step = 0; step < 600; ++step) {
        for (std::uint32_t y = 0; y < height; ++y) {
            for (std::uint32_t x = 0; x < width; ++x) {
                unsigned char *pixel = &pixels[(y * width + x) * 4];
                pixel[0] = static_cast<unsigned char>(x + step);
                pixel[1] = static_cast<unsigned char>(y);
                pixel[2] = static_cast<unsigned char>(step);
                pixel[3] = 255;
            }
        }
        out.send(image);
        std::this_thread::sleep_for(std::chrono::milliseconds(16));
    }
} catch (const tdshm::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
