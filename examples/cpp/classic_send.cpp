// The circle of `send` once more, by a program that was written for TouchDesigner's own classes: nothing in it is ours.

#include "CHOP_SharedMemHeader.h"
#include "UT_SharedMem.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

int main(int argc, char **argv)
{
    const char names[] = "tx\0ty";
    const int numChans = 2, length = 1;
    const std::size_t size = sizeof(CHOP_SharedMemHeader) + numChans * length * sizeof(float) + sizeof(names);
    const std::string name = argc > 1 ? argv[1] : "circle";
    const auto shm = std::make_unique<UT_SharedMem>(ShmString(std::wstring(name.begin(), name.end()).c_str()), size);
    if (shm->getErrorState() != UT_SHM_ERR_NONE) {
        std::fprintf(stderr, "%s: %s\n", name.c_str(), UT_SharedMem::getErrorString(shm->getErrorState()));
        return 1;
    }
    for (int step = 0; step < 600; ++step) {
        shm->lock();
        auto *header = static_cast<CHOP_SharedMemHeader *>(shm->getMemory());
        header->magicNumber = CHOP_SHARED_MEM_MAGIC_NUMBER;
        header->version = CHOP_SHARED_MEM_VERSION_NUMBER;
        header->size = static_cast<int>(size);
        header->numChans = numChans;
        header->length = length;
        header->sampleRate = 60;
        header->namesSent = 1;
        header->channelDataOffset = sizeof(CHOP_SharedMemHeader);
        header->nameDataOffset = header->channelDataOffset + static_cast<int>(numChans * length * sizeof(float));
        header->getChannelData()[0] = std::cos(static_cast<float>(step) / 30);
        header->getChannelData()[1] = std::sin(static_cast<float>(step) / 30);
        std::memcpy(header->getNameData(), names, sizeof names);
        shm->unlock();
        std::this_thread::sleep_for(std::chrono::milliseconds(16));
    }
}
