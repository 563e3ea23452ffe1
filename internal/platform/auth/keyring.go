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
)

// Keyring encrypts what Steward must be able to read back: refresh tokens, ID
// tokens and the pending sign-ins in a browser's cookie. The keys live in a
// file outside the database, so that a copy of the database alone decrypts nothing.
type Keyring struct{ aeads []cipher.AEAD }

// keyBytes makes the cipher AES-256.
const keyBytes = 32

// ReadKeyring reads a key file: one base64 key of 32 bytes a line. The first
// encrypts, all decrypt: to rotate, put a new line on top and remove the old
// one after the longest session. It fails when the file is missing, readable
// by others than its owner and group, or holds anything else.
func ReadKeyring(path string) (*Keyring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("encryption key: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("encryption key: %s can be read by everybody; set its mode to 0600", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("encryption key: %w", err)
	}
	var keys [][]byte
	for line := range bytes.Lines(content) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(string(line))
		if err != nil || len(key) != keyBytes {
			return nil, fmt.Errorf("encryption key: each line of %s must be %d bytes in base64 (openssl rand -base64 %d)", path, keyBytes, keyBytes)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("encryption key: %s is empty", path)
	}
	return NewKeyring(keys...)
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
	k := &Keyring{}
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
		k.aeads = append(k.aeads, aead)
	}
	if len(k.aeads) == 0 {
		return nil, errors.New("encryption key: none")
	}
	return k, nil
}

// Seal encrypts plain for one purpose; only Open with the same purpose reads
// it, so a value moved to another column or row opens nothing.
func (k *Keyring) Seal(plain []byte, purpose string) []byte {
	return k.aeads[0].Seal(nil, nil, plain, []byte(purpose))
}

// Open returns what Seal was given. It fails for anything else.
func (k *Keyring) Open(sealed []byte, purpose string) ([]byte, error) {
	for _, a := range k.aeads {
		if plain, err := a.Open(nil, nil, sealed, []byte(purpose)); err == nil {
			return plain, nil
		}
	}
	return nil, errors.New("sealed with another key or for another purpose")
}
