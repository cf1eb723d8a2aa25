"""Computes the values of passkey-crypto.test.ts; run by hand: python3 passkey-vectors.py

Everything but SHA-256 and HMAC is written out here, after its document, so that it shares nothing with what it checks.
"""
import hashlib
import hmac

P = 2**255 - 19
DIGITS = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"


def sha256(data):
    return hashlib.sha256(data).digest()


def x25519(scalar, point):
    """RFC 7748, section 5."""
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(point, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = (aa - bb) % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def hkdf(secret, salt, info):
    """RFC 5869, 32 bytes."""
    extracted = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def field(number, value):
    """A protobuf field: an integer below 128, or bytes shorter than 128."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def sbox():
    """FIPS 197, 5.1.1, by powers of 3 and of its inverse."""
    table, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= p << 1 & 255 ^ (0x1B if p & 128 else 0)
        q ^= q << 1
        q ^= q << 2
        q = (q ^ q << 4) & 255
        if q & 128:
            q ^= 9
        turn = lambda n: (q << n | q >> (8 - n)) & 255
        table[p] = q ^ turn(1) ^ turn(2) ^ turn(3) ^ turn(4) ^ 0x63
        if p == 1:
            return table


S = sbox()


def double(a):
    return (a << 1 ^ (0x1B if a & 128 else 0)) & 255


def schedule(key):
    words, constant = [list(key[i : i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = list(words[-1])
        if i % 8 == 0:
            word = [S[b] for b in word[1:] + word[:1]]
            word[0] ^= constant
            constant = double(constant)
        elif i % 8 == 4:
            word = [S[b] for b in word]
        words.append([a ^ b for a, b in zip(words[i - 8], word)])
    return words


def aes(words, block):
    """FIPS 197, AES-256."""
    add = lambda state, n: [[a ^ b for a, b in zip(state[c], words[4 * n + c])] for c in range(4)]
    state = add([list(block[i : i + 4]) for i in range(0, 16, 4)], 0)
    for n in range(1, 15):
        state = [[S[state[(c + i) % 4][i]] for i in range(4)] for c in range(4)]
        if n < 14:
            state = [
                [c[i] ^ c[0] ^ c[1] ^ c[2] ^ c[3] ^ double(c[i] ^ c[(i + 1) % 4]) for i in range(4)]
                for c in state
            ]
        state = add(state, n)
    return bytes(b for column in state for b in column)


def multiply(x, y):
    """In the field of GCM (SP 800-38D, 6.3)."""
    z = 0
    for i in range(128):
        if x >> (127 - i) & 1:
            z ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return z


def seal(key, iv, plain):
    """AES-256-GCM without further data: the ciphertext, then the tag."""
    words = schedule(key)
    h = int.from_bytes(aes(words, bytes(16)), "big")
    stream = lambda i: aes(words, iv + i.to_bytes(4, "big"))
    blocks = [plain[i : i + 16] for i in range(0, len(plain), 16)]
    sealed = b"".join(bytes(a ^ b for a, b in zip(each, stream(n + 2))) for n, each in enumerate(blocks))
    y = 0
    for i in range(0, len(sealed), 16):
        y = multiply(y ^ int.from_bytes(sealed[i : i + 16].ljust(16, b"\0"), "big"), h)
    y = multiply(y ^ len(sealed) * 8, h)
    return sealed + bytes(a ^ b for a, b in zip(y.to_bytes(16, "big"), stream(1)))


def run(start, length=32):
    return bytes(range(start, start + length))


adv_secret, private, nonce, primary_nonce, primary_private = (run(32 * n) for n in range(5))
base = (9).to_bytes(32, "little")
public, primary_public = x25519(private, base), x25519(primary_private, base)
ref = b"2@cmVmZXJlbmNl"
chrome = 1

identity = field(1, public) + field(2, chrome) + field(3, ref)
prologue = field(1, identity) + field(2, field(1, sha256(identity + nonce)))
handoff = hkdf(adv_secret, b"", b"shortcake-passkey-handoff-v1")
key = hkdf(
    x25519(private, primary_public),
    b"Companion Pairing 1 with ref " + ref,
    b"Pairing Information Encryption Key",
)
mixed = bytes(a ^ b for a, b in zip(primary_nonce[:5], sha256(nonce + primary_public)))
number = int.from_bytes(mixed, "big")
code = "".join(DIGITS[number >> (35 - 5 * i) & 31] for i in range(8))
iv = run(160, 12)
request = b"".join(field(n, bytes([n]) * 32) for n in (1, 2, 3))

print("public key        ", public.hex())
print("primary public key", primary_public.hex())
print("prologue          ", prologue.hex())
print("hand-off key      ", handoff.hex())
print("hand-off proof    ", hmac.new(handoff, prologue, hashlib.sha256).hexdigest())
print("code              ", f"{code[:4]}-{code[4:]}")
print("pairing key       ", key.hex())
print("sealed request    ", (field(1, seal(key, iv, request)) + field(2, iv)).hex())
