// Bench measures Steward against the limit of its stack: a hand-written server over the same
// tables that does the same work with the same row scope and the same record of changes. Both
// run in processes of their own over one PostgreSQL, in turns; what counts is the processor time
// of server and database for each request, as a ratio, because machines differ and are shared.
//
// `make bench` runs it (scripts/bench.sh). It is no test and fails for wrong answers only.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"time"

	_ "github.com/lib/pq"
)

// settings are what the command line says.
type settings struct {
	database string
	program  string
	scale    int
	rounds   int
	seconds  int
	clients  int
	only     string
	lines    string
}

// asked reports whether a workload is to be measured.
func (s settings) asked(name string) bool {
	return s.only == "" || strings.Contains(","+s.only+",", ","+name+",")
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	if len(os.Args) > 1 && os.Args[1] == "limit" { // this program is its own limit server
		log.Fatal(serveLimit(os.Getenv("STEWARD_BENCH_DATABASE"), os.Args[2]))
	}
	var s settings
	flag.StringVar(&s.database, "database", "", "postgres URL of an empty database")
	flag.StringVar(&s.program, "steward", "bin/steward", "the program to measure")
	flag.IntVar(&s.scale, "scale", 1, "1 is 300,000 budget lines")
	flag.IntVar(&s.rounds, "rounds", 5, "how often each server is measured for each workload")
	flag.IntVar(&s.seconds, "seconds", 3, "length of one measurement")
	flag.IntVar(&s.clients, "clients", 8, "connections of the load")
	flag.StringVar(&s.only, "only", "", "names of workloads, with commas between; all when empty")
	flag.StringVar(&s.lines, "lines", "20000,200000", "how many lines the imports of the workload import have, with commas between")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, s settings) error {
	db, err := sql.Open("postgres", s.database)
	if err != nil {
		return err
	}
	defer db.Close()
	if s.asked("import") {
		list, err := importing(ctx, s, db)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		fmt.Printf("\n%d processors, %s, %s\n\n%s", runtime.NumCPU(), version(ctx, db), time.Now().UTC().Format("2 January 2006"), importTable(list))
	}
	if s.only == "import" {
		return nil
	}
	if err := command(s, "migrate"); err != nil {
		return err
	}
	began := time.Now()
	if err := generate(ctx, db, s.scale); err != nil {
		return fmt.Errorf("generating rows: %w", err)
	}
	log.Printf("rows of scale %d generated in %s", s.scale, time.Since(began).Round(time.Second))
	token, err := tokenOf(s, "--service", "bench")
	if err != nil {
		return err
	}
	person, err := tokenOf(s, "--person", reader)
	if err != nil {
		return err
	}
	began = time.Now()
	product, err := startProduct(ctx, s, token)
	if err != nil {
		return err
	}
	product.person, product.started = person, time.Since(began)
	began = time.Now()
	defer product.stop()
	limit, err := startLimit(ctx, s)
	if err != nil {
		return err
	}
	defer limit.stop()
	limit.started = time.Since(began)
	postmaster, err := postmasterOf(ctx, db)
	if err != nil {
		return err
	}
	w := &world{db: db, product: product, limit: limit, postgres: postmaster, settings: s}
	idle := w.idle()
	var lines []line
	for _, load := range workloads() {
		if !s.asked(load.name) {
			continue
		}
		l, err := w.measure(ctx, load)
		if err != nil {
			return fmt.Errorf("%s: %w", load.name, err)
		}
		lines = append(lines, l)
		log.Printf("%-8s CPU %.2f L", l.name, l.cpu)
	}
	fmt.Printf("\nscale %d, %d connections, medians of %d rounds of %d s, %d processors, %s, %s\n\n", s.scale, s.clients, s.rounds, s.seconds, runtime.NumCPU(), version(ctx, db), time.Now().UTC().Format("2 January 2006"))
	fmt.Print(table(lines))
	fmt.Printf("\n%s\n", idle)
	return nil
}

// command runs the product's command line on the database.
func command(s settings, args ...string) error {
	c := exec.Command(s.program, args...)
	c.Env = append(os.Environ(), "STEWARD_DATABASE="+s.database)
	c.Stderr = os.Stderr
	return c.Run()
}

// tokenOf makes a token with which the load asks: of a portfolio manager of ten portfolios.
func tokenOf(s settings, owner ...string) (string, error) {
	args := append([]string{"token", "create", "--role", "portfolio-manager"}, owner...)
	for i := range own {
		args = append(args, "--portfolio", portfolioKey(i+1))
	}
	c := exec.Command(s.program, args...)
	c.Env = append(os.Environ(), "STEWARD_DATABASE="+s.database)
	c.Stderr = os.Stderr
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err
}

func version(ctx context.Context, db *sql.DB) string {
	var v string
	if err := db.QueryRowContext(ctx, "SHOW server_version").Scan(&v); err != nil {
		return "PostgreSQL"
	}
	return "PostgreSQL " + v
}
