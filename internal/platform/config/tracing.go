package config

import (
	"fmt"
	"net"
	"net/url"

	"steward/internal/platform/obs"
)

// Tracing says where traces go; servers and workers have it. The names of OpenTelemetry count where
// Steward's own are not set.
type Tracing struct {
	OTLPEndpoint string  `name:"otlp-endpoint" env:"STEWARD_OTLP_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT" help:"Collector of traces, OTLP over HTTP, such as http://localhost:4318. Without one there are no traces." placeholder:"URL"`
	TraceRatio   float64 `env:"STEWARD_TRACE_RATIO,OTEL_TRACES_SAMPLER_ARG" help:"Part of the requests and jobs that is traced, 0 to 1." default:"0.1" placeholder:"N"`

	OTLPHeaders obs.Secret `kong:"-"`
}

func (t *Tracing) settle() (bad []string) {
	headers, err := secret("OTEL_EXPORTER_OTLP_HEADERS")
	if err != nil {
		bad = append(bad, err.Error())
	}
	t.OTLPHeaders = obs.Secret(headers)
	return append(bad, t.unsafe()...)
}

// unsafe lists what is wrong with the settings. Traces hold nobody's data, so they may go over http; what
// opens the collector may not.
func (t *Tracing) unsafe() (bad []string) {
	if t.TraceRatio < 0 || t.TraceRatio > 1 {
		bad = append(bad, "--trace-ratio is 0 to 1")
	}
	if t.OTLPEndpoint == "" {
		return bad
	}
	u, err := url.Parse(t.OTLPEndpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		bad = append(bad, "--otlp-endpoint is not an http or https address")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		bad = append(bad, "--otlp-endpoint is scheme, host and path only: what opens the collector belongs in OTEL_EXPORTER_OTLP_HEADERS or OTEL_EXPORTER_OTLP_HEADERS_FILE")
	case u.Scheme == "http" && t.OTLPHeaders != "" && !loopback(net.JoinHostPort(u.Hostname(), "80")):
		bad = append(bad, fmt.Sprintf("--otlp-endpoint %s is plain http to another machine, and OTEL_EXPORTER_OTLP_HEADERS would be read on the way: that needs https", t.OTLPEndpoint))
	}
	return bad
}
