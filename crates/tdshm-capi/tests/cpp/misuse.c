/* Everything that a program in C can do wrong gives a status: handles that are none, freed ones, those of another kind, locks
 * that nobody holds, null, sizes that lie, structures without their size. Also that this header is C99. */
#include <tdshm/tdshm.h>

#include <stdio.h>
#include <stdlib.h>

static int checks;

#define CHECK(condition)                                                                                                           \
    do {                                                                                                                           \
        checks++;                                                                                                                  \
        if (!(condition)) {                                                                                                        \
            printf("%s:%d: not so: %s; the last error: %s\n", __FILE__, __LINE__, #condition, tdshm_last_error());                 \
            return 1;                                                                                                              \
        }                                                                                                                          \
    } while (0)
#define IS(call, status) CHECK((call) == (status))

static int handles(const char *name)
{
    tdshm_sender_t *sender = NULL;
    tdshm_receiver_t *receiver = NULL;
    tdshm_chop_sender_t *chop = NULL;
    size_t length = strlen(name), size = 0;
    void *memory = NULL;
    int32_t abandoned = 0;
    IS(tdshm_sender_free(NULL), TDSHM_OK);
    IS(tdshm_chop_receiver_free(NULL), TDSHM_OK);
    IS(tdshm_sender_unlock(NULL), TDSHM_ERR_HANDLE);
    IS(tdshm_sender_lock((tdshm_sender_t *)(uintptr_t)0xdeadbeef, 0, &memory, &size, &abandoned), TDSHM_ERR_HANDLE);
    IS(tdshm_sender_lock((tdshm_sender_t *)&memory, 0, &memory, &size, &abandoned), TDSHM_ERR_HANDLE);
    IS(tdshm_sender_create(name, length, 64, NULL, &sender), TDSHM_OK);
    IS(tdshm_receiver_open(name, length, NULL, &receiver), TDSHM_OK);
    IS(tdshm_receiver_unlock((tdshm_receiver_t *)sender), TDSHM_ERR_HANDLE);
    IS(tdshm_sender_unlock((tdshm_sender_t *)receiver), TDSHM_ERR_HANDLE);
    IS(tdshm_chop_sender_free((tdshm_chop_sender_t *)sender), TDSHM_ERR_HANDLE);
    IS(tdshm_sender_unlock(sender), TDSHM_ERR_NOT_LOCKED);
    IS(tdshm_receiver_unlock(receiver), TDSHM_ERR_NOT_LOCKED);
    IS(tdshm_sender_lock(sender, TDSHM_DEFAULT, &memory, &size, &abandoned), TDSHM_OK);
    CHECK(memory && size >= 64 && !abandoned);
    IS(tdshm_sender_lock(sender, 0, &memory, &size, &abandoned), TDSHM_ERR_ALREADY_HELD);
    IS(tdshm_sender_resize(sender, 128, NULL, 0), TDSHM_ERR_UNFINISHED);
    IS(tdshm_sender_detach(sender, NULL), TDSHM_ERR_UNFINISHED);
    IS(tdshm_receiver_lock(receiver, 0, NULL, NULL, NULL), TDSHM_ERR_ALREADY_HELD);
    IS(tdshm_sender_unlock(sender), TDSHM_OK);
    IS(tdshm_sender_unlock(sender), TDSHM_ERR_NOT_LOCKED);
    IS(tdshm_sender_lock(sender, TDSHM_DEFAULT, NULL, NULL, NULL), TDSHM_OK);
    IS(tdshm_sender_free(sender), TDSHM_OK);
    IS(tdshm_sender_free(sender), TDSHM_ERR_HANDLE);
    IS(tdshm_sender_unlock(sender), TDSHM_ERR_HANDLE);
    IS(tdshm_receiver_lock(receiver, 0, &memory, &size, NULL), TDSHM_NOTHING_YET);
    CHECK(memory == NULL && size == 0);
    IS(tdshm_receiver_free(receiver), TDSHM_OK);
    IS(tdshm_receiver_memory(receiver, &memory, &size), TDSHM_ERR_HANDLE);
    IS(tdshm_chop_sender_create(name, length, NULL, &chop), TDSHM_OK);
    IS(tdshm_chop_sender_commit(chop), TDSHM_ERR_NOT_LOCKED);
    IS(tdshm_chop_sender_detach(chop, NULL), TDSHM_OK);
    IS(tdshm_chop_sender_detach(chop, NULL), TDSHM_ERR_DETACHED);
    IS(tdshm_chop_sender_send(chop, NULL, 0, 0), TDSHM_ERR_DETACHED);
    IS(tdshm_chop_sender_free(chop), TDSHM_OK);
    return 0;
}

static int arguments(const char *name)
{
    tdshm_sender_t *sender = NULL;
    tdshm_chop_sender_t *chop = NULL;
    tdshm_top_sender_t *top = NULL;
    tdshm_chop_receiver_t *receiver = NULL;
    tdshm_chop_frame_t frame;
    tdshm_pixels_t pixels;
    tdshm_sender_options_t options;
    float samples[4] = {1, 2, 3, 4};
    unsigned char bytes[16] = {0};
    char small[4];
    size_t length = strlen(name), needed = 0;

    IS(tdshm_sender_create(NULL, 3, 64, NULL, &sender), TDSHM_ERR_ARGUMENT);
    IS(tdshm_sender_create(name, length, 64, NULL, NULL), TDSHM_ERR_ARGUMENT);
    IS(tdshm_sender_create("", 0, 64, NULL, &sender), TDSHM_ERR_NAME);
    IS(tdshm_sender_create("a/b", 3, 64, NULL, &sender), TDSHM_ERR_NAME);
    IS(tdshm_sender_create("a\xff", 2, 64, NULL, &sender), TDSHM_ERR_TEXT);
    IS(tdshm_sender_create(name, length, 0, NULL, &sender), TDSHM_ERR_BAD_SIZE);
    IS(tdshm_sender_create(name, length, (size_t)1 << 40, NULL, &sender), TDSHM_ERR_BAD_SIZE);
    CHECK(sender == NULL);
    memset(&options, 0, sizeof options);
    IS(tdshm_sender_create(name, length, 64, &options, &sender), TDSHM_ERR_STRUCT_SIZE);
    TDSHM_INIT(options);
    options.struct_size = 1u << 30;
    IS(tdshm_sender_create(name, length, 64, &options, &sender), TDSHM_ERR_STRUCT_SIZE);
    TDSHM_INIT(options);
    options.lock_limit_ns = -5;
    IS(tdshm_sender_create(name, length, 64, &options, &sender), TDSHM_ERR_ARGUMENT);

    IS(tdshm_chop_sender_create(name, length, NULL, &chop), TDSHM_OK);
    IS(tdshm_chop_sender_send(chop, NULL, 2, 2), TDSHM_ERR_ARGUMENT);
    CHECK(tdshm_chop_sender_send(chop, samples, (size_t)-1, (size_t)-1) > 0);
    CHECK(tdshm_chop_sender_send(chop, samples, (size_t)1 << 62, 4) > 0);
    IS(tdshm_chop_sender_send(chop, samples, 2, 2), TDSHM_OK);
    IS(tdshm_chop_receiver_open(name, length, NULL, &receiver), TDSHM_OK);
    memset(&frame, 0, sizeof frame);
    CHECK(tdshm_chop_receiver_next(receiver, 0, &frame) > 0);
    TDSHM_INIT(frame);
    IS(tdshm_chop_receiver_read(receiver, &frame), TDSHM_OK);
    CHECK(frame.num_channels == 2 && frame.samples[3] == 4);
    CHECK(tdshm_chop_receiver_read_into(receiver, samples, 3, &frame) > 0);
    CHECK(tdshm_chop_receiver_read_into(receiver, NULL, 4, &frame) > 0);
    CHECK(tdshm_chop_receiver_next(receiver, -1, &frame) != TDSHM_OK);
    IS(tdshm_chop_receiver_end_view(receiver), TDSHM_ERR_NOT_LOCKED);
    IS(tdshm_chop_receiver_name(receiver, small, sizeof small, &needed), TDSHM_TRUNCATED);
    CHECK(needed == length + 1 && strlen(small) == 3);
    IS(tdshm_chop_receiver_free(receiver), TDSHM_OK);
    IS(tdshm_chop_sender_free(chop), TDSHM_OK);

    IS(tdshm_top_sender_create(name, length, NULL, &top), TDSHM_OK);
    IS(tdshm_top_sender_send(top, NULL), TDSHM_ERR_ARGUMENT);
    TDSHM_INIT(pixels);
    pixels.format = TDSHM_FORMAT_R8_UNORM;
    pixels.width = 4;
    pixels.height = 4;
    pixels.data = bytes;
    pixels.size_bytes = sizeof bytes;
    CHECK(tdshm_top_sender_send(top, &pixels) > 0); /* it does not say which row lies first */
    pixels.rows = TDSHM_ROWS_TOP_FIRST;
    IS(tdshm_top_sender_send(top, &pixels), TDSHM_OK);
    pixels.width = 5; /* a size that lies */
    CHECK(tdshm_top_sender_send(top, &pixels) > 0);
    pixels.width = 0xffffffffu;
    pixels.height = 0xffffffffu;
    CHECK(tdshm_top_sender_send(top, &pixels) > 0);
    pixels.width = 4;
    pixels.height = 4;
    pixels.format = 12345;
    CHECK(tdshm_top_sender_send(top, &pixels) > 0);
    IS(tdshm_top_sender_free(top), TDSHM_OK);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "misuse";
    if (handles(name) != 0 || arguments(name) != 0)
        return 1;
    CHECK(strcmp(tdshm_status_name(TDSHM_ERR_NAME), "TDSHM_ERR_NAME") == 0);
    CHECK(tdshm_version() == TDSHM_VERSION && strcmp(tdshm_version_text(), TDSHM_VERSION_TEXT) == 0);
    printf("%d checks hold\n", checks);
    return 0;
}
