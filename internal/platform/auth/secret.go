package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"strings"
)

// TokenPrefix starts every API token of Steward, so that secret scanners and
// people recognise one.
const TokenPrefix = "stw_"

const (
	tokenRandom   = 43 // base62 digits of 32 random bytes
	tokenChecksum = 6  // base62 digits of a CRC-32
)

// newAPIToken returns a fresh token: the prefix, 32 random bytes and a checksum.
// The checksum is no secret; it only lets a mistyped token be refused without
// asking the database.
func newAPIToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	body := base62(b[:], tokenRandom)
	return TokenPrefix + body + checksum(body)
}

// wellFormed reports whether s has the shape and the checksum of an API token.
func wellFormed(s string) bool {
	body, ok := strings.CutPrefix(s, TokenPrefix)
	return ok && len(body) == tokenRandom+tokenChecksum && checksum(body[:tokenRandom]) == body[tokenRandom:]
}

func checksum(body string) string {
	c := crc32.ChecksumIEEE([]byte(TokenPrefix + body))
	return base62([]byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)}, tokenChecksum)
}

// base62 writes a big-endian number in exactly width digits.
func base62(b []byte, width int) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n := append([]byte(nil), b...)
	out := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		rest := 0
		for j, d := range n { // one step of long division by 62
			v := rest<<8 | int(d)
			n[j], rest = byte(v/62), v%62
		}
		out[i] = digits[rest]
	}
	return string(out)
}

// hashOf is how secrets are stored: hexadecimal SHA-256. They are random, so
// neither salt nor a slow function adds anything.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
