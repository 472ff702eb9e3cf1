/* The channel block of section 8, written and read by hand, and frames as the tests check them: every sample follows
 * from the frame's number, its shape and its place. */
#ifndef TDSHM_TESTS_BLOCK_H
#define TDSHM_TESTS_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const uint32_t CHOP_MAGIC = 0x12ED54CF;
static const size_t HEADER_BYTES = 36;

static uint32_t number_at(const unsigned char *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    return number;
}

static void set_number(unsigned char *bytes, uint32_t number)
{
    memcpy(bytes, &number, sizeof number);
}

static float sample(uint32_t seed, size_t count, size_t length, size_t index)
{
    uint64_t parts[4], hash = 0xcbf29ce484222325u;
    size_t part;
    if (index == 0)
        return (float)seed;
    parts[0] = seed;
    parts[1] = count;
    parts[2] = length;
    parts[3] = index;
    for (part = 0; part < 4; part++) {
        hash = (hash ^ parts[part]) * 0x00000100000001b3u;
        hash = hash << 23 | hash >> 41;
    }
    return (float)(hash >> 41);
}

/* A channel's name, without its NUL. */
static size_t channel_name(char *name, size_t size, uint32_t seed, size_t index)
{
    return (size_t)snprintf(name, size, "s%uc%u", (unsigned)seed, (unsigned)index);
}

static size_t block_bytes(size_t count, size_t length, uint32_t seed, int named)
{
    size_t index, end = HEADER_BYTES + 4 * count * length;
    char name[64];
    for (index = 0; named && index < count; index++)
        end += channel_name(name, sizeof name, seed, index) + 1;
    return end;
}

/* Into room of `block_bytes`. */
static void write_block(unsigned char *block, size_t count, size_t length, float rate, uint32_t seed, int named)
{
    size_t index, at = HEADER_BYTES + 4 * count * length;
    char name[64];
    set_number(block, CHOP_MAGIC);
    set_number(block + 4, 1);
    set_number(block + 8, (uint32_t)block_bytes(count, length, seed, named));
    set_number(block + 12, (uint32_t)count);
    set_number(block + 16, (uint32_t)length);
    memcpy(block + 20, &rate, sizeof rate);
    set_number(block + 24, named != 0);
    set_number(block + 28, (uint32_t)HEADER_BYTES);
    set_number(block + 32, (uint32_t)at);
    for (index = 0; index < count * length; index++) {
        float value = sample(seed, count, length, index);
        memcpy(block + HEADER_BYTES + 4 * index, &value, sizeof value);
    }
    for (index = 0; named && index < count; index++) {
        size_t letters = channel_name(name, sizeof name, seed, index);
        memcpy(block + at, name, letters + 1);
        at += letters + 1;
    }
}

/* `ok frame COUNT LENGTH RATE SEED HOW NAME,NAME...`: SEED is `torn` where the samples do not belong together.
 * Or `ok none REASON`. */
static void say_block(const unsigned char *block, size_t size, const char *how)
{
    size_t count = number_at(block + 12), length = number_at(block + 16);
    size_t samples = number_at(block + 28), at = number_at(block + 32);
    size_t index, names = number_at(block + 24) == 1 ? count : 0;
    uint32_t seed;
    float first = 0, rate;
    int whole = 1;
    if (number_at(block) != CHOP_MAGIC || number_at(block + 4) < 1) {
        printf("ok none no block\n");
        return;
    }
    if (samples > size || count > size || length > size || (count && length > (size - samples) / 4 / count)) {
        printf("ok none a block that leads out of the segment\n");
        return;
    }
    memcpy(&rate, block + 20, sizeof rate);
    if (count * length > 0)
        memcpy(&first, block + samples, sizeof first);
    seed = first >= 0 && first <= 8388608 ? (uint32_t)first : 0;
    for (index = 0; index < count * length; index++) {
        float value;
        memcpy(&value, block + samples + 4 * index, sizeof value);
        whole = whole && value == sample(seed, count, length, index);
    }
    printf("ok frame %u %u %.9g ", (unsigned)count, (unsigned)length, rate);
    if (whole)
        printf("%u %s ", (unsigned)seed, how);
    else
        printf("torn %s ", how);
    for (index = 0; index < names; index++) {
        const unsigned char *end = at < size ? memchr(block + at, 0, size - at) : NULL;
        if (!end)
            break;
        printf(index ? ",%s" : "%s", (const char *)block + at);
        at = (size_t)(end - block) + 1;
    }
    printf("\n");
}

#endif
