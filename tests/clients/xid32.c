/*
 * A client built for 32 bits that reads transaction ids in binary: what drivers do that take an xid
 * for an unsigned long long when its length says 8. It speaks the protocol by itself and needs no
 * library, so that gcc -m32 suffices:
 *
 *   gcc -m32 -nostdlib -static -ffreestanding -fno-pie -no-pie -fno-stack-protector xid32.c -o xid32
 *   xid32 PORT SQL
 *
 * It prints, for each row, the first column: its length and its value.
 */

typedef unsigned char byte;
typedef unsigned int word;
typedef unsigned long long xid;

_Static_assert(sizeof(void *) == 4, "built for 32 bits");
_Static_assert(sizeof(xid) == 8, "an xid has 64 bits");

static int call(int number, int a, int b, int c)
{
	int result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

static void end(int code) { call(1, code, 0, 0); for (;;) ; }

static word length(const char *text) { word n = 0; while (text[n]) n++; return n; }

static void say(const char *text) { call(4, 1, (int) text, (int) length(text)); }

static void fail(const char *why) { say(why); say("\n"); end(1); }

static int sock;

static void put(const byte *from, word count)
{
	while (count > 0) {
		int n = call(4, sock, (int) from, (int) count);
		if (n <= 0) fail("the server does not listen");
		from += n;
		count -= (word) n;
	}
}

static void get(byte *to, word count)
{
	while (count > 0) {
		int n = call(3, sock, (int) to, (int) count);
		if (n <= 0) fail("the server has gone");
		to += n;
		count -= (word) n;
	}
}

static word read_word(const byte *at)
{
	return (word) at[0] << 24 | (word) at[1] << 16 | (word) at[2] << 8 | (word) at[3];
}

static byte message[1 << 16];
static word used;

static void add_byte(byte value) { message[used++] = value; }

static void add_short(word value) { add_byte((byte) (value >> 8)); add_byte((byte) value); }

static void add_word(word value) { add_short(value >> 16); add_short(value & 0xFFFF); }

static void add_text(const char *text) { do add_byte((byte) *text); while (*text++); }

/* Sends a message: its kind (0 for the first of a session), and what was added. */
static void send(byte kind)
{
	byte head[5];
	word size = used + 4;
	head[0] = kind;
	for (int i = 0; i < 4; i++) head[1 + i] = (byte) (size >> (24 - 8 * i));
	put(kind ? head : head + 1, kind ? 5 : 4);
	put(message, used);
	used = 0;
}

/* Receives a message into `message`; returns its kind. */
static byte receive(word *size)
{
	byte head[5];
	get(head, 5);
	*size = read_word(head + 1) - 4;
	if (*size > sizeof message) fail("a message is too long");
	get(message, *size);
	if (head[0] == 'E') {
		for (word i = 0; i < *size && message[i]; i += length((char *) message + i) + 1)
			if (message[i] == 'M') fail((char *) message + i + 1);
		fail("an error without a message");
	}
	return head[0];
}

static void show(xid value)
{
	char digits[24];
	int at = sizeof digits - 1;
	digits[at] = 0;
	/* Long division by hand: the compiler's needs a library here. */
	do {
		word rest = 0;
		xid quotient = 0;
		for (int bit = 63; bit >= 0; bit--) {
			rest = rest << 1 | (word) (value >> bit & 1);
			quotient <<= 1;
			if (rest >= 10) { rest -= 10; quotient |= 1; }
		}
		digits[--at] = (char) ('0' + rest);
		value = quotient;
	} while (value);
	say(digits + at);
}

static void run(int argc, char **argv)
{
	struct { unsigned short family, port; word host; byte zero[8]; } address = {2, 0, 0, {0}};
	word port = 0, size;
	byte kind;
	if (argc != 3) fail("usage: xid32 PORT SQL");
	for (const char *digit = argv[1]; *digit; digit++) port = port * 10 + (word) (*digit - '0');
	address.port = (unsigned short) (port >> 8 | port << 8);
	address.host = 0x0100007F;
	sock = call(359, 2, 1, 0);
	if (sock < 0 || call(362, sock, (int) &address, sizeof address) < 0) fail("no connection");
	add_word(0x30000);
	add_text("user"); add_text("postgres"); add_text("database"); add_text("postgres");
	add_byte(0);
	send(0);
	do kind = receive(&size); while (kind != 'Z');
	add_text(""); add_text(argv[2]); add_short(0); send('P');
	add_text(""); add_text(""); add_short(0); add_short(0); add_short(1); add_short(1); send('B');
	add_text(""); add_word(0); send('E');
	send('S');
	while ((kind = receive(&size)) != 'Z') {
		if (kind != 'D') continue;
		word bytes = read_word(message + 2);
		xid value = 0;
		for (word i = 0; i < bytes && i < 8; i++) value = value << 8 | message[6 + i];
		show(bytes); say(" "); show(value); say("\n");
	}
	end(0);
}

void _start(void)
{
	int *frame = __builtin_frame_address(0);
	run(frame[1], (char **) (frame + 2));
}
