/* Receives channels and prints the last sample of each: from `tdshm send circle`, or from a Shared Mem Out CHOP whose Shared Mem
 * Name is `circle`. Ends when nothing has come for five seconds. */

/* snippet:begin */
#include <tdshm/tdshm.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "circle";
    tdshm_chop_receiver_t *in;
    tdshm_chop_frame_t frame;
    tdshm_status_t status = tdshm_chop_receiver_open(name, strlen(name), NULL, &in);
    TDSHM_INIT(frame);
    while (!TDSHM_FAILED(status) && (status = tdshm_chop_receiver_next(in, 5000000000, &frame)) == TDSHM_OK) {
        size_t channel;
        for (channel = 0; channel < frame.num_channels && frame.len_samples > 0; channel++) {
            const char *text = "";
            size_t bytes = 0;
            tdshm_chop_receiver_channel_name(in, channel, &text, &bytes);
            printf("%.*s: %g\n", (int)bytes, text, frame.samples[(channel + 1) * frame.len_samples - 1]);
        }
        fflush(stdout);
    }
    if (TDSHM_FAILED(status))
        fprintf(stderr, "%s\n", tdshm_last_error());
    tdshm_chop_receiver_free(in);
    return TDSHM_FAILED(status);
}
/* snippet:end */
