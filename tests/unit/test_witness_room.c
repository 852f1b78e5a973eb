/* SPDX-License-Identifier: Apache-2.0 */
/* Room at the witness's desk: more sessions than can be open, strangers, and several at a time. */
#include "cmocka_setup.h"

#include "desk_scene.h"

#include <pthread.h>
#include <string.h>
#include <sys/statvfs.h>

/* Another site at the same desk. */
static struct scene begin_another(const struct scene *scene) {
    struct scene other = *scene;
    other.answer = (struct pa_buffer){0};
    begin(&other);
    return other;
}

static void sessions_make_room_for_those_that_come(void **state) {
    enum { SESSIONS = 260 }; /* more than can be open, finished or not */
    struct scene scene;
    (void)state;
    set_up(&scene);
    begin(&scene);
    assert_int_equal(ask(&scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    for (int i = 1; i < SESSIONS; i++) {
        struct scene other = begin_another(&scene);
        if (i % 32 == 0)
            assert_int_equal(ask(&other, PA_WITNESS_FINISH, NULL, 0), PA_OK);
        pa_buffer_free(&other.answer);
    }
    assert_int_equal(ask(&scene, PA_WITNESS_RESULT, NULL, 0), PA_OK);
    tear_down(&scene);
}

static void who_is_only_introduced_takes_no_room(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    introduce(&scene);
    struct scene stranger = scene;
    stranger.answer = (struct pa_buffer){0};
    for (int i = 0; i < 2000; i++)
        introduce(&stranger);
    assert_int_equal(ask(&stranger, PA_WITNESS_GAP, NULL, 0), PA_EWITNESS); /* nothing declared */
    assert_int_equal(declare(&scene, scene.serial, 4), PA_OK);
    /* A ticket that no desk drew, and one of another desk's life. */
    scene.ticket.bytes[0] ^= 1;
    assert_int_equal(ask(&scene, PA_WITNESS_DECLARE, NULL, 0), 401);
    pa_witness_desk_close(scene.desk);
    open_desk(&scene);
    stranger.desk = scene.desk;
    assert_int_equal(declare(&stranger, stranger.serial, 4), 401);
    pa_buffer_free(&stranger.answer);
    tear_down(&scene);
}

static void a_session_between_epochs_does_not_notice_that_it_was_closed(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    pa_witness_desk_close(scene.desk);
    scene.most_open = 2;
    open_desk(&scene);
    begin(&scene);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(challenge(&scene, epoch), PA_OK);
        for (int i = 0; i < 3; i++) {
            struct scene other = begin_another(&scene);
            pa_buffer_free(&other.answer);
        }
        assert_int_equal(close_idle(&scene, epoch), PA_OK);
        for (int i = 0; i < 3; i++) {
            struct scene other = begin_another(&scene);
            pa_buffer_free(&other.answer);
        }
    }
    assert_int_equal(records(&scene),
                     2 + 3 * 5); /* session, boot; nonce, root, list, key, boot clock */
    assert_int_equal(ask(&scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    tear_down(&scene);
}

static void an_epoch_under_work_is_kept_until_it_is_given_up(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    pa_witness_desk_close(scene.desk);
    scene.most_open = 2;
    open_desk(&scene);
    begin(&scene);
    struct scene second = begin_another(&scene);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    assert_int_equal(challenge(&second, 0), PA_OK);
    struct scene third = scene;
    third.answer = (struct pa_buffer){0};
    introduce(&third);
    assert_int_equal(declare(&third, third.serial, 4), 503);
    assert_int_equal(close_idle(&scene, 0), PA_OK);
    assert_int_equal(declare(&third, third.serial, 4), PA_OK);
    assert_int_equal(challenge(&third, 0), PA_OK);
    assert_int_equal(close_idle(&second, 0), PA_OK);
    pa_buffer_free(&second.answer);
    pa_buffer_free(&third.answer);
    pa_witness_desk_close(scene.desk);
    /* Silence of a nanosecond is enough now: strangers with an epoch each cannot keep a desk. */
    scene.most_open = 1;
    scene.abandoned_ns = 1;
    open_desk(&scene);
    begin(&scene);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    second = begin_another(&scene);
    assert_int_equal(challenge(&second, 0), PA_OK);
    assert_int_equal(close_idle(&scene, 0), PA_EWITNESS); /* its key is lost */
    uint8_t lost[12] = {0, 0, 0, 0, 0, 0, 0, 0, 'l', 'o', 's', 't'};
    assert_int_equal(ask(&scene, PA_WITNESS_ABORT, lost, sizeof lost), PA_OK);
    assert_int_equal(challenge(&scene, 1), PA_OK);
    assert_int_equal(close_idle(&scene, 1), PA_OK);
    pa_buffer_free(&second.answer);
    tear_down(&scene);
}

/* Whoever has all places, each with an epoch under work, gives them up to those who come from
 * elsewhere, one after the other, until all have as many. */
static void one_address_cannot_keep_others_waiting(void **state) {
    enum { PLACES = 4 };
    struct scene scene, strangers[PLACES], sites[PLACES - 1];
    (void)state;
    set_up(&scene);
    pa_witness_desk_close(scene.desk);
    scene.most_open = PLACES;
    open_desk(&scene);
    for (int i = 0; i < PLACES; i++) {
        strangers[i] = begin_another(&scene);
        assert_int_equal(challenge(&strangers[i], 0), PA_OK);
    }
    introduce(&scene);
    assert_int_equal(declare(&scene, scene.serial, 4), 503);
    for (int i = 0; i < PLACES - 1; i++) {
        the_address = (uint8_t)(2 + i);
        sites[i] = begin_another(&scene);
        assert_int_equal(challenge(&sites[i], 0), PA_OK);
        /* Strangers who want one back would have to take it from somebody with fewer. */
        the_address = 1;
        introduce(&scene);
        assert_int_equal(declare(&scene, scene.serial, 4), 503);
    }
    the_address = 99;
    introduce(&scene);
    assert_int_equal(declare(&scene, scene.serial, 4), 503);
    for (int i = 0; i < PLACES - 1; i++) {
        the_address = (uint8_t)(2 + i);
        assert_int_equal(close_idle(&sites[i], 0), PA_OK);
        pa_buffer_free(&sites[i].answer);
    }
    the_address = 1;
    assert_int_equal(close_idle(&strangers[PLACES - 1], 0), PA_OK); /* the one heard of last */
    assert_int_equal(close_idle(&strangers[0], 0), PA_EWITNESS);
    for (int i = 0; i < PLACES; i++)
        pa_buffer_free(&strangers[i].answer);
    tear_down(&scene);
}

enum { VISITORS = 4 };

struct visitor {
    struct scene scene;
    uint32_t closed;
};

/* With fewer places than visitors a request may find no room; what is under work keeps its own. */
static void *visit(void *context) {
    struct visitor *visitor = context;
    struct scene *scene = &visitor->scene;
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        while (challenge(scene, epoch) == 503)
            scene->sequence--;
        visitor->closed += close_idle(scene, epoch) == PA_OK ? 1 : 0;
    }
    return NULL;
}

static void visitors_at_the_same_time_share_two_places(void **state) {
    struct visitor visitors[VISITORS];
    pthread_t threads[VISITORS];
    struct scene scene;
    (void)state;
    set_up(&scene);
    pa_witness_desk_close(scene.desk);
    scene.most_open = 2;
    open_desk(&scene);
    for (int i = 0; i < VISITORS; i++)
        visitors[i] = (struct visitor){.scene = begin_another(&scene)};
    for (int i = 0; i < VISITORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
    for (int i = 0; i < VISITORS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(visitors[i].closed, 3);
        pa_buffer_free(&visitors[i].scene.answer);
    }
    tear_down(&scene);
}

/* An introduction that is refused. */
static void expect_no_introduction(struct scene *scene) {
    uint8_t body[PA_HASH_BYTES + 4] = {1};
    struct pa_hash ticket = scene->ticket;
    memcpy(body + PA_HASH_BYTES, the_site, 4);
    memset(&scene->ticket, 0, sizeof scene->ticket);
    assert_int_equal(ask_as(scene, PA_WITNESS_INTRODUCE, 0, body, sizeof body), PA_EWITNESS);
    assert_non_null(strstr(scene->read.text, "no room for a new session"));
    assert_non_null(strstr(scene->read.text, "Ask the auditor"));
    scene->ticket = ticket;
}

static void without_room_no_session_begins_and_the_others_go_on(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    begin(&scene);
    pa_witness_desk_close(scene.desk);
    scene.keep_free_bytes = UINT64_C(1) << 62; /* more than any disk has */
    assert_int_equal(scene.said, 0);
    open_desk(&scene);
    assert_int_equal(scene.said, 1);
    assert_non_null(strstr(scene.text, "new sessions are refused"));
    assert_non_null(strstr(scene.text, "--keep-free"));
    assert_int_equal(ask(&scene, PA_WITNESS_RESUME, NULL, 0), PA_OK);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(challenge(&scene, epoch), PA_OK);
        expect_no_introduction(&scene);
        assert_int_equal(close_idle(&scene, epoch), PA_OK);
    }
    assert_int_equal(ask(&scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    assert_int_equal(scene.judged, 1);
    assert_int_equal(scene.said, 1); /* however many were refused */
    tear_down(&scene);
}

/* Some room beyond what is kept: for a session of ordinary size, and not for one that declares more
 * openings than fit. */
static void a_declaration_that_cannot_fit_is_refused(void **state) {
    enum { MOST_ROOM = 1 << 30 };
    struct scene scene;
    struct statvfs facts;
    (void)state;
    set_up(&scene);
    pa_witness_desk_close(scene.desk);
    assert_int_equal(statvfs(scene.folder, &facts), 0);
    uint64_t left = (uint64_t)facts.f_bavail * facts.f_frsize;
    scene.keep_free_bytes = left - (left / 2 < MOST_ROOM ? left / 2 : MOST_ROOM);
    open_desk(&scene);
    assert_int_equal(scene.said, 0);
    introduce(&scene);
    assert_int_equal(declare(&scene, scene.serial, PA_MOST_OPENINGS), PA_EWITNESS);
    assert_non_null(strstr(scene.read.text, "Declare fewer epochs or openings"));
    assert_int_equal(declare(&scene, scene.serial, 4), PA_OK); /* nothing was counted */
    assert_int_equal(scene.said, 0);                           /* the store is not short of room */
    tear_down(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_make_room_for_those_that_come),
        cmocka_unit_test(who_is_only_introduced_takes_no_room),
        cmocka_unit_test(a_session_between_epochs_does_not_notice_that_it_was_closed),
        cmocka_unit_test(an_epoch_under_work_is_kept_until_it_is_given_up),
        cmocka_unit_test(one_address_cannot_keep_others_waiting),
        cmocka_unit_test(visitors_at_the_same_time_share_two_places),
        cmocka_unit_test(without_room_no_session_begins_and_the_others_go_on),
        cmocka_unit_test(a_declaration_that_cannot_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
