package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"
	"modernc.org/sqlite"
)

func init() {
	// SQLite folds the case of ASCII only; search must find "éclair" by "ÉCLAIR"
	// as PostgreSQL does.
	sqlite.MustRegisterDeterministicScalarFunction("lower", 1, func(_ *sqlite.FunctionContext, a []driver.Value) (driver.Value, error) {
		if s, ok := a[0].(string); ok {
			return strings.ToLower(s), nil
		}
		return a[0], nil
	})
}

// Options are the limits of one connection pool.
type Options struct {
	// Statement bounds each statement, Lock each wait for a lock; 0 is no bound.
	// Request connections are bounded; imports and migrations have a pool of
	// their own without bounds.
	Statement, Lock time.Duration
	// Wait bounds how long a statement waits for a connection when all are taken,
	// and leaves each caller at most half of them; 0 is no bound.
	Wait time.Duration
	// Pool is the largest number of connections; 0 chooses one.
	Pool int
}

// RequestOptions are the limits of connections that serve requests. Wait is less
// than the two seconds in which a request is promised an answer when there is no
// connection (OP-3): the answer takes its time too.
var RequestOptions = Options{Statement: 4 * time.Second, Lock: 2 * time.Second, Wait: 1500 * time.Millisecond}

// sqlitePragmas make SQLite behave as PostgreSQL does where the two differ:
// foreign keys, LIKE that minds case, times in UTC; and safe: WAL with a sync at
// every commit, one writer that waits its turn.
const sqlitePragmas = "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)" +
	"&_pragma=case_sensitive_like(1)&_txlock=immediate&_time_format=sqlite&_timezone=UTC"

// Dialect returns the dialect of a database URL: sqlite:PATH or postgres://…
func Dialect(databaseURL string) (string, error) {
	switch {
	case strings.HasPrefix(databaseURL, "sqlite:"):
		return dialect.SQLite, nil
	case strings.HasPrefix(databaseURL, "postgres://"), strings.HasPrefix(databaseURL, "postgresql://"), strings.Contains(databaseURL, "dbname="):
		return dialect.Postgres, nil
	}
	return "", fmt.Errorf("the database URL must start with sqlite: or postgres://")
}

// connect opens a pool on the database without touching it.
func connect(databaseURL string, o Options) (*sql.DB, string, error) {
	d, err := Dialect(databaseURL)
	if err != nil {
		return nil, "", err
	}
	if d == dialect.SQLite {
		db, err := connectSQLite(databaseURL, "foreign_keys(1)")
		if err == nil {
			db.SetMaxOpenConns(cmp.Or(o.Pool, 8))
			db.SetMaxIdleConns(cmp.Or(o.Pool, 8))
		}
		return db, d, err
	}
	dsn, err := postgresDSN(databaseURL, o)
	if err != nil {
		return nil, "", err
	}
	c, err := pq.NewConnector(dsn)
	if err != nil {
		return nil, "", fmt.Errorf("the database URL is not understood")
	}
	c.Dialer(dialer{read: o.Statement})
	db := sql.OpenDB(connector{c})
	db.SetMaxOpenConns(cmp.Or(o.Pool, 20))
	db.SetMaxIdleConns(cmp.Or(o.Pool, 20))
	db.SetConnMaxLifetime(30 * time.Minute)
	return db, d, nil
}

// connectSQLite opens the file with Steward's pragmas and one more.
func connectSQLite(databaseURL, pragma string) (*sql.DB, error) {
	path := strings.TrimPrefix(databaseURL, "sqlite:")
	return sql.Open("sqlite", "file:"+path+"?_pragma="+pragma+"&"+sqlitePragmas)
}

// postgresDSN adds what every connection of Steward needs to the URL.
func postgresDSN(databaseURL string, o Options) (string, error) {
	// compiling a statement takes longer than any of Steward's statements does
	set := map[string]string{"binary_parameters": "yes", "timezone": "UTC", "application_name": "steward", "jit": "off"}
	if o.Statement > 0 {
		set["statement_timeout"] = ms(o.Statement)
		set["idle_in_transaction_session_timeout"] = "10000"
	}
	if o.Lock > 0 {
		set["lock_timeout"] = ms(o.Lock)
	}
	if !strings.Contains(databaseURL, "://") {
		for k, v := range set {
			databaseURL += " " + k + "=" + v
		}
		return databaseURL, nil
	}
	databaseURL, hosts, ports := severalHosts(databaseURL)
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", fmt.Errorf("the database URL is not understood")
	}
	q := u.Query()
	if hosts != "" {
		set["host"], set["port"] = hosts, ports
	}
	for k, v := range set {
		if !q.Has(k) {
			q.Set(k, v)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// severalHosts takes the hosts out of a URL that names more than one, as libpq reads it:
// postgres://user@one:5432,two:5433/name. A URL of Go's has one host, so lib/pq takes
// several as parameters only; they are returned as it takes them, "" for one host.
func severalHosts(databaseURL string) (rest, hosts, ports string) {
	scheme, after, _ := strings.Cut(databaseURL, "://")
	end := strings.IndexAny(after, "/?#")
	if end < 0 {
		end = len(after)
	}
	begin := strings.LastIndexByte(after[:end], '@') + 1
	if !strings.Contains(after[begin:end], ",") {
		return databaseURL, "", ""
	}
	var names, numbers []string
	for one := range strings.SplitSeq(after[begin:end], ",") {
		host, port, err := net.SplitHostPort(one)
		if err != nil {
			host, port = strings.Trim(one, "[]"), "5432"
		}
		names, numbers = append(names, host), append(numbers, port)
	}
	return scheme + "://" + after[:begin] + after[end:], strings.Join(names, ","), strings.Join(numbers, ",")
}

func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// dialer bounds what lib/pq does not: it waits for ever on a server that has
// stopped answering, whatever the context says. A read may take as long as a
// statement and one second more.
type dialer struct{ read time.Duration }

func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d dialer) DialTimeout(network, address string, t time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), t)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	n := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	c, err := n.DialContext(ctx, network, address)
	if err != nil || d.read == 0 {
		return c, err
	}
	return boundConn{c, d.read + time.Second}, nil
}

type boundConn struct {
	net.Conn
	read time.Duration
}

func (c boundConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.read)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}
