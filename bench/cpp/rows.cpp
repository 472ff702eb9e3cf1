// What bench/benches/cpp.rs measures against Rust: the same work through tdshm.hpp. `cargo xtask bench` makes a library of it.

#include <tdshm/tdshm.hpp>

namespace {

std::optional<tdshm::lock> lock;
std::optional<tdshm::chop_sender> channels;
std::optional<tdshm::top_sender> images;
tdshm::image image;

} // namespace

extern "C" {

void rows_open(const char *lock_name, const char *chop_name, const char *top_name)
{
    lock.emplace(lock_name);
    channels.emplace(chop_name);
    images.emplace(top_name);
    image.format = tdshm::format::r8g8b8a8_unorm;
    image.width = 1920;
    image.height = 1080;
    image.rows = tdshm::rows::bottom_first;
}

void rows_lock() { (void)lock->acquire(); }

void rows_channels(const float *samples) { channels->send({samples, 64}, 1); }

void rows_image(const unsigned char *pixels)
{
    image.bytes = {reinterpret_cast<const std::byte *>(pixels), std::size_t{1920} * 1080 * 4};
    images->send(image);
}

void rows_close()
{
    lock.reset();
    channels.reset();
    images.reset();
}
}
