vcl 4.1;

# Varnish in front of Django, purged by tags: without any vmod but std, by bans. Where the vmod xkey is at hand,
# varnish-xkey.vcl does the same at less cost, and softly too.
#
#     varnishd -F -f /etc/varnish/varnish.vcl -s malloc,256m -T none \
#         -a public=:8080 -a purge=127.0.0.1:8081
#
# The names of the two sockets count: what was not called "purge" purges nothing. TLS ends in front of it, at
# something that sets X-Forwarded-Proto itself, whatever a visitor says.
#
# A response with more than 8 kB of keys needs "-p http_resp_hdr_len=64k -p http_resp_size=96k" and more of
# "-p workspace_backend" and "-p workspace_client" (256k).
#
#     DUMPER_UPSTREAMS = {
#         "varnish": {
#             "BACKEND": "dumper.upstreams.varnish.Varnish",
#             "LOCATION": "http://127.0.0.1:8081",
#             "HEADERS": {"X-Purge-Token": "change-this-secret"},
#             "OPTIONS": {"method": "ban", "lifetime": 31_536_000},
#         },
#     }

import std;

backend default { .host = "127.0.0.1"; .port = "8000"; }

sub vcl_recv {
    if (local.socket == "purge") {
        call purging;
    }
    if (req.method ~ "^(PURGE|PURGEKEYS|BANKEYS)$") {
        return (synth(405));
    }
    unset req.http.X-Purge-Token;
    # Of these a server that trusts this one makes URLs, while pages are looked up by host and target.
    unset req.http.SCRIPT_NAME;
    unset req.http.PATH_INFO;
    unset req.http.X-Forwarded-Host;
    unset req.http.X-Forwarded-Port;
    unset req.http.X-Forwarded-Protocol;
    unset req.http.X-Forwarded-Ssl;
    if (req.http.X-Forwarded-Proto != "https") {
        unset req.http.X-Forwarded-Proto;  # one spelling of "not https", for Vary
    }
}

sub purging {
    if (req.http.X-Purge-Token != "change-this-secret") {
        return (synth(403));
    }
    call vcl_req_host;  # lower case, as when pages are looked up
    if (req.method == "PURGE") {
        return (purge);  # all variants
    }
    if (req.method == "BANKEYS") {
        # A ban is a small language of its own, and an empty alternative matches all. Whole keys parted by "|", no more.
        if (req.http.x-ban-keys !~ "^[0-9a-f]{16}([|][0-9a-f]{16})*$") {
            return (synth(400, "x-ban-keys is missing or malformed"));
        }
        # Only of obj.*, so that the ban lurker can work it off.
        if (std.ban("obj.http.xkey ~ " + req.http.x-ban-keys)) {
            return (synth(200, "Banned"));
        }
        return (synth(500, std.ban_error()));
    }
    return (synth(405));
}

# No method is piped: what follows on a piped connection would get to the origin unseen.
sub vcl_req_method {
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    return;
}

# A cookie alone costs no hit: where it counts, the origin says "Vary: Cookie" or "no-store".
sub vcl_req_cookie {
    return;
}

sub vcl_backend_response {
    if (beresp.http.Surrogate-Control ~ "(^|[ ,])max-age=[0-9]") {
        # Counts from now, whatever the Age; "no-store" beside it wins, in builtin.vcl. Nine digits are 31 years.
        set beresp.ttl = std.duration(regsub(beresp.http.Surrogate-Control, "^(|.*[ ,])max-age=([0-9]{1,9}).*$", "\2s"), 0s);
    } elsif (!beresp.http.Expires && beresp.http.Cache-Control !~ "(?i)(^|[ ,])(s-maxage|max-age)=") {
        set beresp.ttl = 0s;  # no lifetime that Varnish thinks of by itself
    }
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    # The URL says nothing of the scheme; and unlike a part of the hash, a variant goes with any purge.
    if (!beresp.http.Vary) {
        set beresp.http.Vary = "X-Forwarded-Proto";
    } elsif (beresp.http.Vary !~ "\*") {
        set beresp.http.Vary = beresp.http.Vary + ", X-Forwarded-Proto";
    }
    # Goes on in builtin.vcl: what sets a cookie, or is not to be stored, or not fresh, becomes a "hit for miss": requests
    # do not wait for each other, and the first response that can be stored is.
}

sub vcl_deliver {
    # What the origin has said of itself there was true when the page was fetched (RFC 9211).
    if (obj.hits > 0) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", varnish; hit";
    } else {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", varnish; fwd=miss";
    }
    unset resp.http.xkey;
    unset resp.http.Surrogate-Control;
}
