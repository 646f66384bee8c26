/*
 * PostgreSQL's memory contexts, timed from inside a backend.
 *
 * Each function does what the Rust side does and returns nanoseconds of processor time:
 *   pairs(kind, bytes, rounds)   rounds of BATCH allocations and as many frees (bump: one reset)
 *   resets(kind, rounds)         rounds of a reset of a context with 1,000,000 chunks of 64 bytes
 *   deletes(kind, rounds)        rounds of the deletion of a tree of 10,000 contexts
 * kind: 0 AllocSet, 1 Generation, 2 Slab, 3 Bump.
 */
#include "postgres.h"

#include <time.h>

#include "fmgr.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(pairs);
PG_FUNCTION_INFO_V1(resets);
PG_FUNCTION_INFO_V1(deletes);

#define BATCH 100

static int64
nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64) now.tv_sec * 1000000000 + now.tv_nsec;
}

static MemoryContext
create(MemoryContext parent, int kind, Size bytes)
{
	switch (kind)
	{
		case 0:
			return AllocSetContextCreate(parent, "measured", ALLOCSET_DEFAULT_SIZES);
		case 1:
			return GenerationContextCreate(parent, "measured", ALLOCSET_DEFAULT_SIZES);
		case 2:
			return SlabContextCreate(parent, "measured",
									 Max(SLAB_DEFAULT_BLOCK_SIZE, 8 * (bytes + 16) + 256), bytes);
		default:
			return BumpContextCreate(parent, "measured", ALLOCSET_DEFAULT_SIZES);
	}
}

static void
rounds_of_pairs(MemoryContext context, int kind, Size bytes, int64 rounds)
{
	char	   *pieces[BATCH];

	for (int64 round = 0; round < rounds; round++)
	{
		for (int i = 0; i < BATCH; i++)
		{
			pieces[i] = palloc(bytes);
			*pieces[i] = 1;
		}
		if (kind == 3)
			MemoryContextReset(context);
		else
			for (int i = 0; i < BATCH; i++)
				pfree(pieces[i]);
	}
}

Datum
pairs(PG_FUNCTION_ARGS)
{
	int			kind = PG_GETARG_INT32(0);
	Size		bytes = PG_GETARG_INT32(1);
	MemoryContext context = create(CurrentMemoryContext, kind, bytes);
	MemoryContext old = MemoryContextSwitchTo(context);
	int64		start;

	rounds_of_pairs(context, kind, bytes, 1000);
	start = nanoseconds();
	rounds_of_pairs(context, kind, bytes, PG_GETARG_INT64(2));
	start = nanoseconds() - start;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	PG_RETURN_INT64(start);
}

Datum
resets(PG_FUNCTION_ARGS)
{
	MemoryContext context = create(CurrentMemoryContext, PG_GETARG_INT32(0), 64);
	MemoryContext old = MemoryContextSwitchTo(context);
	int64		total = 0;

	for (int64 round = 0; round < PG_GETARG_INT64(1); round++)
	{
		int64		start;

		for (int i = 0; i < 1000000; i++)
			*(char *) palloc(64) = 1;
		start = nanoseconds();
		MemoryContextReset(context);
		total += nanoseconds() - start;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	PG_RETURN_INT64(total);
}

Datum
deletes(PG_FUNCTION_ARGS)
{
	int			kind = PG_GETARG_INT32(0);
	int64		total = 0;

	for (int64 round = 0; round < PG_GETARG_INT64(1); round++)
	{
		MemoryContext top = create(CurrentMemoryContext, 0, 64);
		int64		start;

		/* 9 below the top, 10 below each of them, 110 below each of those: 9,999 in all. */
		for (int i = 0; i < 9; i++)
		{
			MemoryContext upper = create(top, kind, 64);

			MemoryContextAlloc(upper, 64);
			for (int j = 0; j < 10; j++)
			{
				MemoryContext middle = create(upper, kind, 64);

				MemoryContextAlloc(middle, 64);
				for (int k = 0; k < 110; k++)
					MemoryContextAlloc(create(middle, kind, 64), 64);
			}
		}
		start = nanoseconds();
		MemoryContextDelete(top);
		total += nanoseconds() - start;
	}
	PG_RETURN_INT64(total);
}
