// Receives channels and prints the last sample of each: from `send`, from `tdshm send circle`, or from a Shared Mem Out CHOP
// whose Shared Mem Name is `circle`. Ends when nothing has come for five seconds.

// snippet:begin
#include <tdshm/tdshm.hpp>

#include <iostream>

int main(int argc, char **argv)
try {
    tdshm::chop_receiver in(argc > 1 ? argv[1] : "circle"); // its sender may come later
    while (auto frame = in.next(std::chrono::seconds(5))) {
        for (std::size_t i = 0; i < frame.num_channels(); ++i) {
            if (!frame.channel(i).empty()) {
                std::cout << frame.name(i) << ": " << frame.channel(i).back() << std::endl;
            }
        }
    }
} catch (const tdshm::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
// snippet:end
