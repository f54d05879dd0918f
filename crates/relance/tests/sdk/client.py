"""An unmodified Segment client for Python: its host is changed, and nothing else.

    python client.py HOST WRITE_KEY USER_ID EMAIL

Ends with 0 when the server took every call, with 1 and the reason when it did not.
"""

import sys

import segment.analytics as analytics

host, write_key, user_id, email = sys.argv[1:]
failed = []

analytics.write_key = write_key
analytics.host = host
analytics.gzip = True
analytics.max_retries = 1
analytics.on_error = lambda error, items: failed.append(error)

analytics.identify(
    user_id,
    {"email": email, "firstName": "Борис", "language": "ru"},
    context={"locale": "ru-RU", "timezone": "Europe/Moscow"},
)
analytics.track(user_id, "Signed Up", {"plan": "free"})
analytics.page(user_id, "Docs", "Python", {"path": "/docs"})
analytics.screen(user_id, "App", "Home", {})
analytics.group(user_id, "acme", {"name": "Acme"})
analytics.alias(f"anonymous-of-{user_id}", user_id)
analytics.shutdown()

for error in failed:
    print(error, file=sys.stderr)
sys.exit(1 if failed else 0)
