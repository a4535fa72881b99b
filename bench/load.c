/*
 * A small HTTP load generator: requests from a file, over a number of connections that stay open, one at a time on
 * each. It exists because a generator in Python would take more of the machine than what it measures.
 *
 *   load HOST PORT FILE CONNECTIONS SECONDS RATE
 *
 * FILE holds requests one after the other, each a 32-bit length (host order) and so many bytes. They are sent in
 * order, each once; the run ends when SECONDS are over or the file is. RATE is requests a second over all connections
 * (0: as fast as they are answered); with a rate, a latency counts from when the request was due, so that a stall of
 * the server is seen by everything that it delayed. The result is one JSON object on stdout, times in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 65536, BUCKETS = 1 << 20 };

struct connection {
    int fd, busy, status;
    uint64_t due;
    const char *out;
    size_t left, have, need;
    char in[ANSWER];
};

static uint64_t statuses[600], errors, answered, latencies[BUCKETS], worst, total_us;

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static int dial(const struct sockaddr_in *where)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (fd < 0 || connect(fd, (const struct sockaddr *)where, sizeof *where) < 0) {
        if (fd >= 0) close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* 1: a whole answer is there; 0: more to come; -1: not HTTP. */
static int whole(struct connection *c)
{
    if (c->need == 0) {
        char *end = memmem(c->in, c->have, "\r\n\r\n", 4);
        if (end == NULL) return c->have == ANSWER ? -1 : 0;
        if (c->have < 12 || memcmp(c->in, "HTTP/1.1 ", 9) != 0) return -1;
        c->status = atoi(c->in + 9);
        size_t length = 0;
        for (char *line = c->in; line < end; line = (char *)memchr(line, '\n', (size_t)(end - line) + 2) + 1) {
            if (strncasecmp(line, "content-length:", 15) == 0) length = strtoul(line + 15, NULL, 10);
            if (memchr(line, '\n', (size_t)(end - line)) == NULL) break;
        }
        c->need = (size_t)(end - c->in) + 4 + length;
        if (c->need > ANSWER) return -1;
    }
    return c->have >= c->need;
}

static uint64_t percentile(double share)
{
    uint64_t wanted = (uint64_t)((double)answered * share), seen = 0;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        seen += latencies[i];
        if (seen > wanted) return i;
    }
    return worst;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: load HOST PORT FILE CONNECTIONS SECONDS RATE\n");
        return 2;
    }
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &where.sin_addr);
    if ((ntohl(where.sin_addr.s_addr) >> 24) != 127) {
        fprintf(stderr, "load goes to loopback only\n");
        return 2;
    }
    int file = open(argv[3], O_RDONLY), count = atoi(argv[4]);
    struct stat facts;
    if (file < 0 || fstat(file, &facts) < 0 || count < 1) {
        fprintf(stderr, "cannot read %s\n", argv[3]);
        return 2;
    }
    const char *data = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    const char *next = data, *end = data + facts.st_size;
    double seconds = atof(argv[5]), rate = atof(argv[6]);
    struct connection *all = calloc((size_t)count, sizeof *all);
    int poll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        all[i].fd = dial(&where);
        if (all[i].fd < 0) {
            fprintf(stderr, "cannot connect: %s\n", strerror(errno));
            return 3;
        }
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &e);
    }
    uint64_t start = now_us(), stop = start + (uint64_t)(seconds * 1e6), sent = 0, busy = 0, last = start;
    for (;;) {
        uint64_t now = now_us();
        int over = now >= stop || next >= end;
        if (over && busy == 0) break;
        if (now > stop + 15000000u) break;
        for (int i = 0; i < count && !over; i++) {
            struct connection *c = &all[i];
            if (c->busy) continue;
            uint64_t due = rate > 0 ? start + (uint64_t)((double)sent / rate * 1e6) : now;
            if (due > now || next >= end) break;
            uint32_t size;
            memcpy(&size, next, 4);
            c->out = next + 4;
            c->left = size;
            next += 4 + size;
            c->busy = 1;
            c->due = due;
            c->have = c->need = 0;
            sent++;
            busy++;
            ssize_t n = write(c->fd, c->out, c->left);
            if (n > 0) c->out += n, c->left -= (size_t)n;
            if (c->left > 0) {
                struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
                epoll_ctl(poll, EPOLL_CTL_MOD, c->fd, &e);
            }
        }
        struct epoll_event ready[256];
        int n = epoll_wait(poll, ready, 256, rate > 0 ? 1 : 50);
        for (int k = 0; k < n; k++) {
            struct connection *c = ready[k].data.ptr;
            if ((ready[k].events & EPOLLOUT) && c->left > 0) {
                ssize_t w = write(c->fd, c->out, c->left);
                if (w > 0) c->out += w, c->left -= (size_t)w;
                if (c->left == 0) {
                    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
                    epoll_ctl(poll, EPOLL_CTL_MOD, c->fd, &e);
                }
            }
            if (!(ready[k].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
            ssize_t r = read(c->fd, c->in + c->have, ANSWER - c->have);
            if (r < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            int state = -1;
            if (r > 0) c->have += (size_t)r, state = whole(c);
            if (state == 0) continue;
            if (state == 1) {
                uint64_t took = now_us() - c->due;
                last = now_us();
                answered++;
                total_us += took;
                latencies[took < BUCKETS ? took : BUCKETS - 1]++;
                if (took > worst) worst = took;
                if (c->status > 0 && c->status < 600) statuses[c->status]++;
            } else {
                if (c->busy) errors++;
                close(c->fd);
                c->fd = dial(&where);
                if (c->fd < 0) {
                    usleep(10000);
                    c->fd = dial(&where);
                }
                struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
                if (c->fd >= 0) epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &e);
            }
            if (c->busy) busy--;
            c->busy = 0;
            c->have = c->need = c->left = 0;
        }
    }
    double took = (double)(last - start) / 1e6;
    printf("{\"sent\": %lu, \"answered\": %lu, \"errors\": %lu, \"seconds\": %.4f, \"rate\": %.1f, \"statuses\": {",
           sent, answered, errors, took, took > 0 ? (double)answered / took : 0);
    int first = 1;
    for (int i = 0; i < 600; i++)
        if (statuses[i]) {
            printf("%s\"%d\": %lu", first ? "" : ", ", i, statuses[i]);
            first = 0;
        }
    printf("}, \"mean_us\": %lu, \"p50_us\": %lu, \"p90_us\": %lu, \"p99_us\": %lu, \"p999_us\": %lu, \"max_us\": %lu}\n",
           answered ? total_us / answered : 0, percentile(0.5), percentile(0.9), percentile(0.99), percentile(0.999), worst);
    return 0;
}
