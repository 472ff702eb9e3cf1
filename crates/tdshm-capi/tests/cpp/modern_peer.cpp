/* A program on tdshm.hpp.
 *
 *   sender NAME, send COUNT LENGTH RATE SEED NAMES, draft …, detach, stats
 *   receiver NAME, read, next MS, view, attached
 *   image-sender NAME, image-send NUMBER FORMAT WIDTH HEIGHT BYTES, image-draft …, image-receiver NAME, image-next MS
 *   find NAME                          `channels COUNT LENGTH`, `image WIDTH HEIGHT`, or `err`
 *   hold-view, let-go
 */
#include <tdshm/tdshm.hpp>

#include "peer.hpp"

using namespace std::chrono_literals;

static std::optional<tdshm::chop_sender> out;
static std::optional<tdshm::chop_receiver> in;
static std::optional<tdshm::top_sender> top_out;
static std::optional<tdshm::top_receiver> top_in;
static tdshm::chop_view held;

static std::string see(const tdshm::chop_frame &frame)
{
    if (!frame) {
        return "none " + std::to_string(static_cast<int>(in->attached()));
    }
    std::vector<std::string> names;
    for (std::size_t index = 0; index < frame.num_channels(); ++index) {
        names.emplace_back(frame.name(index));
    }
    return seen(frame.num_channels(), frame.len_samples(), frame.sample_rate(), frame.samples().data(), frame.abandoned(),
                names);
}

static std::string see(const tdshm::top_frame &frame)
{
    if (!frame) {
        return "none " + std::to_string(static_cast<int>(top_in->attached()));
    }
    Picture picture{};
    picture.format = static_cast<std::uint32_t>(frame.format());
    picture.width = frame.width();
    picture.height = frame.height();
    picture.bytes_per_pixel = frame.bytes_per_pixel();
    std::vector<unsigned char> rows;
    for (std::size_t row = frame.height(); row-- > 0;) {
        const auto bytes = frame.row(row);
        const auto *first = reinterpret_cast<const unsigned char *>(bytes.data());
        rows.insert(rows.end(), first, first + bytes.size());
    }
    return seen(picture, rows.data());
}

static void prepare(const Channels &channels)
{
    out->set_sample_rate(channels.rate);
    out->set_channels(channels.names());
    out->set_names_sent(channels.named);
}

static std::string obey(const std::string &command, Words &words)
{
    if (command == "sender") {
        out.emplace(word<std::string>(words));
    } else if (command == "send") {
        const auto channels = Channels::of(words);
        prepare(channels);
        out->send(channels.samples(), channels.length);
    } else if (command == "draft") {
        const auto channels = Channels::of(words);
        prepare(channels);
        auto draft = out->begin(channels.count, channels.length);
        const auto samples = channels.samples();
        std::copy(samples.begin(), samples.end(), draft.samples().begin());
        draft.commit();
    } else if (command == "detach") {
        return out->detach() ? "1" : "0";
    } else if (command == "stats") {
        const auto stats = out->stats();
        return std::to_string(stats.resizes) + " " + std::to_string(stats.abandoned);
    } else if (command == "receiver") {
        in.emplace(word<std::string>(words));
    } else if (command == "read") {
        return see(in->read());
    } else if (command == "next") {
        return see(in->next(std::chrono::milliseconds(word<int>(words))));
    } else if (command == "view") {
        return see(in->view());
    } else if (command == "hold-view") {
        held = in->view();
        return see(held);
    } else if (command == "let-go") {
        held.release();
    } else if (command == "attached") {
        return std::to_string(static_cast<int>(in->attached()));
    } else if (command == "image-sender") {
        top_out.emplace(word<std::string>(words));
    } else if (command == "image-send") {
        const auto picture = Picture::of(words);
        const auto rows = picture.bottom_first();
        tdshm::image image;
        image.format = static_cast<tdshm::format>(picture.format);
        image.width = static_cast<std::uint32_t>(picture.width);
        image.height = static_cast<std::uint32_t>(picture.height);
        image.rows = tdshm::rows::bottom_first;
        image.bytes = tdshm::bytes_of(rows);
        top_out->send(image);
    } else if (command == "image-draft") {
        const auto picture = Picture::of(words);
        auto draft = top_out->begin(static_cast<tdshm::format>(picture.format), static_cast<std::uint32_t>(picture.width),
                                    static_cast<std::uint32_t>(picture.height));
        for (std::size_t index = 0; index < picture.height; ++index) {
            const auto row = picture.row(index);
            std::memcpy(draft.row(index).data(), row.data(), row.size());
        }
        draft.commit();
    } else if (command == "image-receiver") {
        top_in.emplace(word<std::string>(words));
    } else if (command == "image-next") {
        return see(top_in->next(std::chrono::milliseconds(word<int>(words))));
    } else if (command == "image-read") {
        return see(top_in->read());
    } else if (command == "find") {
        const auto info = tdshm::inspect(word<std::string>(words));
        if (info.holds == tdshm::holds::channels) {
            return "channels " + std::to_string(info.num_channels) + " " + std::to_string(info.len_samples);
        }
        return "image " + std::to_string(info.width) + " " + std::to_string(info.height);
    } else if (command == "close") {
        out.reset();
        in.reset();
        top_out.reset();
        top_in.reset();
    } else {
        throw Refusal{-1, "no such command: " + command};
    }
    return {};
}

int main()
{
    return obey_all([](const std::string &command, Words &words) {
        try {
            return obey(command, words);
        } catch (const tdshm::error &error) {
            throw Refusal{error.code().value(), error.what()};
        }
    });
}
