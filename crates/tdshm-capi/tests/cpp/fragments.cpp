/* The fragments of code that programs are made of which share channels with TouchDesigner: constructing either side, the
 * look at the error state, lock, getMemory and unlock, the loops that fill and read a block of channels (docs/protocol.md,
 * section 8). Verbatim but for the data, the names among them, which are narrow here with NARROW and wide without.
 *
 *   fragments compile            only the names that stand in the text
 *   fragments send NAME          until its input ends
 *   fragments receive NAME       prints what it read, until its input ends
 */
#include "CHOP_SharedMemHeader.h"
#include "UT_SharedMem.h"

#include <cstdio>
#include <cstring>
#include <string>

#ifdef NARROW
#define GIVEN(name) (name).c_str()
#define WRITTEN(name) name
#else
#define GIVEN(name) std::wstring((name).begin(), (name).end()).c_str()
#define WRITTEN(name) L##name
#endif

/* With the very names: never called with somebody else's memory, because the program ends before it would. */
static int with_names_that_are_written_out()
{
    const unsigned int myRequiredSize = 1024;

    UT_SharedMem *shm = new UT_SharedMem(ShmString(WRITTEN("mymemoryname")), myRequiredSize);
    UT_SharedMem *receiver = new UT_SharedMem(ShmString(WRITTEN("mymemoryname")));

    int failures = 0;
    if (shm->getErrorState() != UT_SHM_ERR_NONE)
    {
        failures++;
    }
    if (receiver->getErrorState() != UT_SHM_ERR_NONE)
    {
        failures++;
    }
    delete receiver;
    delete shm;
    return failures;
}

static bool until_line(char *line, int size)
{
    return std::fgets(line, size, stdin) != nullptr;
}

static int send(const std::string &name)
{
    const unsigned int myRequiredSize = 4096;
    const int numChans = 3, length = 4;

    UT_SharedMem *shm = new UT_SharedMem(ShmString(GIVEN(name)), myRequiredSize);
    if (shm->getErrorState() != UT_SHM_ERR_NONE)
    {
        std::printf("error %d: %s\n", shm->getErrorState(), UT_SharedMem::getErrorString(shm->getErrorState()));
        std::fflush(stdout);
        delete shm;
        return 1;
    }

    char line[64];
    float value = 0;
    std::printf("ready\n");
    std::fflush(stdout);
    while (until_line(line, sizeof line))
    {
        shm->lock();
        void *memory = shm->getMemory();
        if (memory)
        {
            CHOP_SharedMemHeader *header = (CHOP_SharedMemHeader *)memory;
            header->magicNumber = CHOP_SHARED_MEM_MAGIC_NUMBER;
            header->version = CHOP_SHARED_MEM_VERSION_NUMBER;
            header->numChans = numChans;
            header->length = length;
            header->sampleRate = 60.0f;
            header->namesSent = 1;
            header->channelDataOffset = sizeof(CHOP_SharedMemHeader);
            header->nameDataOffset = (int)(header->channelDataOffset + sizeof(float) * numChans * length);

            float *data = header->getChannelData();
            for (int i = 0; i < numChans; i++)
            {
                for (int j = 0; j < length; j++)
                {
                    data[i * length + j] = value + (float)(i * 100 + j);
                }
            }
            char *names = header->getNameData();
            for (int i = 0; i < numChans; i++)
            {
                names += std::sprintf(names, "chan_%c", 'a' + i) + 1;
            }
            header->size = (int)(names - (char *)header);
        }
        shm->unlock();
        value += 1;
        std::printf("sent\n");
        std::fflush(stdout);
    }
    delete shm;
    return 0;
}

static int receive(const std::string &name)
{
    UT_SharedMem *shm = new UT_SharedMem(ShmString(GIVEN(name)));

    char line[64];
    std::printf("ready %d\n", shm->getErrorState());
    std::fflush(stdout);
    while (until_line(line, sizeof line))
    {
        if (shm->getErrorState() != UT_SHM_ERR_NONE)
        {
            /* Again, until there is a sender. */
            delete shm;
            shm = new UT_SharedMem(ShmString(GIVEN(name)));
        }
        shm->lock();
        void *memory = shm->getMemory();
        if (memory && ((CHOP_SharedMemHeader *)memory)->magicNumber == CHOP_SHARED_MEM_MAGIC_NUMBER)
        {
            CHOP_SharedMemHeader *header = (CHOP_SharedMemHeader *)memory;
            const float *data = header->getChannelData();
            const char *names = header->namesSent ? header->getNameData() : nullptr;
            std::printf("got %d x %d at %g:", header->numChans, header->length, header->sampleRate);
            for (int i = 0; i < header->numChans; i++)
            {
                std::printf(" %s", names ? names : "?");
                for (int j = 0; j < header->length; j++)
                {
                    std::printf(" %g", data[i * header->length + j]);
                }
                names = names ? names + std::strlen(names) + 1 : nullptr;
            }
            std::printf("\n");
        }
        else
        {
            std::printf("nothing %d\n", shm->getErrorState());
        }
        shm->unlock();
        std::fflush(stdout);
    }
    delete shm;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && std::strcmp(argv[1], "send") == 0)
    {
        return send(argv[2]);
    }
    if (argc > 2)
    {
        return receive(argv[2]);
    }
    return argc > 1 && std::strcmp(argv[1], "compile") == 0 ? 0 : with_names_that_are_written_out();
}
