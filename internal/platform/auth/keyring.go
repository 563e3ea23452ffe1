package auth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Keyring encrypts what Steward must be able to read back: refresh tokens, ID
// tokens, the secrets of webhooks and the pending sign-ins in a browser's cookie.
// The keys live in a file outside the database, so that a copy of the database
// alone decrypts nothing. One that was read from a file follows the file while the
// program runs, so that keys are changed without a restart.
type Keyring struct {
	path string // empty: the keys were given
	mu   sync.Mutex
	seen version // of the file
	next time.Time
	keys atomic.Pointer[[]cipher.AEAD] // the first encrypts
}

// version tells one content of the file from another.
type version struct {
	at   time.Time
	size int64
	file os.FileInfo
}

func (v version) same(o version) bool {
	return v.at.Equal(o.at) && v.size == o.size && os.SameFile(v.file, o.file)
}

// lookEvery is how often the file is looked at before something is encrypted.
const lookEvery = time.Second

// keyBytes makes the cipher AES-256.
const keyBytes = 32

// ReadKeyring reads a key file: one base64 key of 32 bytes a line. The first
// encrypts, all decrypt: to rotate, put a new line on top, let `steward keys rotate`
// encrypt anew what is stored, and remove the old one. It fails when the file is
// missing, readable by others than its owner and group, or holds anything else.
func ReadKeyring(path string) (*Keyring, error) {
	keys, seen, err := readKeys(path)
	if err != nil {
		return nil, err
	}
	k, err := NewKeyring(keys...)
	if err != nil {
		return nil, err
	}
	k.path, k.seen = path, seen
	return k, nil
}

// readKeys returns the keys of a file.
func readKeys(path string) (keys [][]byte, seen version, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, seen, fmt.Errorf("encryption key: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, seen, fmt.Errorf("encryption key: %s can be read by everybody; set its mode to 0600", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, seen, fmt.Errorf("encryption key: %w", err)
	}
	for line := range bytes.Lines(content) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(string(line))
		if err != nil || len(key) != keyBytes {
			return nil, seen, fmt.Errorf("encryption key: each line of %s must be %d bytes in base64 (openssl rand -base64 %d)", path, keyBytes, keyBytes)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, seen, fmt.Errorf("encryption key: %s is empty", path)
	}
	return keys, version{info.ModTime(), info.Size(), info}, nil
}

// MakeKeyring reads the key file, making it first (mode 0600) where there is
// none. It is for the embedded database, whose key lies beside it.
func MakeKeyring(path string) (*Keyring, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ReadKeyring(path)
	}
	if err != nil {
		return nil, fmt.Errorf("encryption key: %w", err)
	}
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("encryption key: %w", err)
	}
	return ReadKeyring(path)
}

// NewKeyring returns a keyring of 32-byte keys; the first encrypts. It fails
// for no key or a key of another length.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	aeads, err := ciphers(keys)
	if err != nil {
		return nil, err
	}
	k := &Keyring{}
	k.keys.Store(&aeads)
	return k, nil
}

func ciphers(keys [][]byte) (out []cipher.AEAD, err error) {
	for _, key := range keys {
		if len(key) != keyBytes {
			return nil, fmt.Errorf("encryption key: %d bytes, not %d", len(key), keyBytes)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("encryption key: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("encryption key: %w", err)
		}
		out = append(out, aead)
	}
	if len(out) == 0 {
		return nil, errors.New("encryption key: none")
	}
	return out, nil
}

// follow reads the file again if it has changed, and reports whether there are other keys now. A file
// that holds no keys, half written perhaps, changes nothing.
func (k *Keyring) follow(now bool) bool {
	if k.path == "" {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !now && time.Now().Before(k.next) {
		return false
	}
	k.next = time.Now().Add(lookEvery)
	info, err := os.Stat(k.path)
	if err != nil || k.seen.same(version{info.ModTime(), info.Size(), info}) {
		return false
	}
	keys, seen, err := readKeys(k.path)
	if err != nil {
		return false
	}
	aeads, err := ciphers(keys)
	if err != nil {
		return false
	}
	k.seen = seen
	k.keys.Store(&aeads)
	return true
}

// Keys returns how many keys the ring has.
func (k *Keyring) Keys() int { return len(*k.keys.Load()) }

// Seal encrypts plain for one purpose; only Open with the same purpose reads
// it, so a value moved to another column or row opens nothing.
func (k *Keyring) Seal(plain []byte, purpose string) []byte {
	k.follow(false)
	return (*k.keys.Load())[0].Seal(nil, nil, plain, []byte(purpose))
}

// Open returns what Seal was given. It fails for anything else.
func (k *Keyring) Open(sealed []byte, purpose string) ([]byte, error) {
	plain, _, err := k.open(sealed, purpose)
	if err != nil && k.follow(true) { // another server has a newer key already
		plain, _, err = k.open(sealed, purpose)
	}
	return plain, err
}

// open returns also which key it was.
func (k *Keyring) open(sealed []byte, purpose string) ([]byte, int, error) {
	for i, a := range *k.keys.Load() {
		if plain, err := a.Open(nil, nil, sealed, []byte(purpose)); err == nil {
			return plain, i, nil
		}
	}
	return nil, 0, errors.New("sealed with another key or for another purpose")
}

// Reseal encrypts anew, with the first key, what an older one encrypted. It returns nil for what the
// first key has encrypted already, and an error for what none of them opens.
func (k *Keyring) Reseal(sealed []byte, purpose string) ([]byte, error) {
	plain, i, err := k.open(sealed, purpose)
	if err != nil || i == 0 {
		return nil, err
	}
	return k.Seal(plain, purpose), nil
}
