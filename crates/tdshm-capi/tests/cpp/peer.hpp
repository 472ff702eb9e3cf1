/* What the programs of these tests have in common: commands on standard input, answers in lines, and frames and images of
 * which every byte follows from their number, so that a whole one can be told from one that was put together from two. */
#ifndef TDSHM_TESTS_PEER_HPP
#define TDSHM_TESTS_PEER_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <fcntl.h>
#include <io.h>
#include <windows.h>
#else
#include <csignal>
#include <unistd.h>
#endif

/** What one command says. */
using Words = std::istringstream;

template <class T> T word(Words &words)
{
    T value{};
    words >> value;
    return value;
}

/** A sample of a frame whose number is `seed`, as tests/src/frames.rs has it. */
inline float sample(std::uint32_t seed, std::size_t count, std::size_t length, std::size_t index)
{
    if (index == 0) {
        return static_cast<float>(seed);
    }
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const std::uint64_t part : {std::uint64_t{seed}, std::uint64_t{count}, std::uint64_t{length}, std::uint64_t{index}}) {
        hash = (hash ^ part) * 0x00000100000001b3U;
        hash = hash << 23 | hash >> 41;
    }
    return static_cast<float>(hash >> 41);
}

/** An answer that is a refusal. */
struct Refusal {
    int code;
    std::string text;
};

/** Dies at once, whatever is held. */
[[noreturn]] inline void die()
{
#ifdef _WIN32
    TerminateProcess(GetCurrentProcess(), 9);
#else
    kill(getpid(), SIGKILL);
#endif
    std::abort();
}

/** Obeys commands until the input ends or says quit. */
template <class Obey> int obey_all(Obey obey)
{
#ifdef _WIN32
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stdin), _O_BINARY);
#endif
    std::string line;
    while (std::getline(std::cin, line)) {
        Words words(line);
        const auto command = word<std::string>(words);
        if (command == "quit") {
            return 0;
        }
        if (command == "die") {
            die();
        }
        try {
            const std::string answer = obey(command, words);
            std::cout << (answer.empty() ? "ok" : "ok " + answer) << std::endl;
        } catch (const Refusal &refusal) {
            std::cout << "err " << refusal.code << ' ' << refusal.text << std::endl;
        } catch (const std::exception &error) {
            std::cout << "err -1 " << error.what() << std::endl;
        }
    }
    return 0;
}

/** Channels, as the tests send them. */
struct Channels {
    std::size_t count, length;
    float rate;
    std::uint32_t seed;
    bool named;

    static Channels of(Words &words)
    {
        Channels channels{};
        channels.count = word<std::size_t>(words);
        channels.length = word<std::size_t>(words);
        channels.rate = word<float>(words);
        channels.seed = word<std::uint32_t>(words);
        channels.named = word<std::string>(words) == "names";
        return channels;
    }

    std::vector<float> samples() const
    {
        std::vector<float> all(count * length);
        for (std::size_t index = 0; index < all.size(); ++index) {
            all[index] = sample(seed, count, length, index);
        }
        return all;
    }

    std::vector<std::string> names() const
    {
        std::vector<std::string> all;
        for (std::size_t index = 0; index < count; ++index) {
            all.push_back("s" + std::to_string(seed) + "c" + std::to_string(index));
        }
        return all;
    }
};

/** The line for channels that were seen. */
inline std::string seen(std::size_t count, std::size_t length, float rate, const float *samples, bool abandoned,
                        const std::vector<std::string> &names)
{
    std::string seed = "torn";
    if (count * length == 0) {
        seed = "0";
    } else if (samples[0] >= 0 && samples[0] <= 8388608) {
        const auto number = static_cast<std::uint32_t>(samples[0]);
        bool whole = true;
        for (std::size_t index = 0; index < count * length; ++index) {
            const float right = sample(number, count, length, index);
            whole = whole && std::memcmp(&samples[index], &right, sizeof right) == 0;
        }
        if (whole) {
            seed = std::to_string(number);
        }
    }
    std::ostringstream line;
    line << "frame " << count << ' ' << length << ' ' << rate << ' ' << seed << (abandoned ? " abandoned " : " clean ");
    for (std::size_t index = 0; index < names.size(); ++index) {
        line << (index ? "," : "") << names[index];
    }
    return line.str();
}

/** An image, as the tests send it. */
struct Picture {
    std::uint32_t number, format;
    std::size_t width, height, bytes_per_pixel;

    static Picture of(Words &words)
    {
        Picture picture{};
        picture.number = word<std::uint32_t>(words);
        picture.format = word<std::uint32_t>(words);
        picture.width = word<std::size_t>(words);
        picture.height = word<std::size_t>(words);
        picture.bytes_per_pixel = word<std::size_t>(words);
        return picture;
    }

    std::size_t row_bytes() const { return width * bytes_per_pixel; }

    /** One row, counted from the top. */
    std::vector<unsigned char> row(std::size_t index) const
    {
        std::uint64_t hash = 0xcbf29ce484222325U;
        for (const std::uint64_t part : {std::uint64_t{number}, std::uint64_t{width}, std::uint64_t{height},
                                         std::uint64_t{format}, std::uint64_t{index}}) {
            hash = (hash ^ part) * 0x00000100000001b3U;
            hash = hash << 23 | hash >> 41;
        }
        std::vector<unsigned char> row;
        while (row.size() < row_bytes()) {
            hash = (hash ^ (hash >> 29)) * 0x9e3779b97f4a7c15U;
            for (int byte = 0; byte < 8; ++byte) {
                row.push_back(static_cast<unsigned char>(hash >> (8 * byte)));
            }
        }
        row.resize(row_bytes());
        if (index == 0 && row.size() >= 4) {
            std::memcpy(row.data(), &number, 4);
        }
        return row;
    }

    /** All rows without gaps, the bottom one first. */
    std::vector<unsigned char> bottom_first() const
    {
        std::vector<unsigned char> all;
        for (std::size_t index = height; index-- > 0;) {
            const auto one = row(index);
            all.insert(all.end(), one.begin(), one.end());
        }
        return all;
    }
};

/** The line for an image that was seen, of which these are the rows, the bottom one first. */
inline std::string seen(Picture picture, const unsigned char *rows)
{
    if (picture.row_bytes() >= 4 && picture.height > 0) {
        std::memcpy(&picture.number, rows + (picture.height - 1) * picture.row_bytes(), 4);
    }
    const auto right = picture.bottom_first();
    const bool whole = std::memcmp(rows, right.data(), right.size()) == 0;
    std::ostringstream line;
    line << "image " << picture.format << ' ' << picture.width << ' ' << picture.height << ' '
         << (whole ? std::to_string(picture.number) : "torn");
    return line.str();
}

#endif
