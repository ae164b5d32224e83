#!/usr/bin/env bash
# Tells the story of the warranty shop from the outside, with curl.
#
# Start the shop first, with `umari dev examples/warranty`. The tour uses fixed ids and idempotency
# keys: taken a second time it changes nothing and ends with the same totals.
#
#   UMARI_URL       where the host listens          (http://127.0.0.1:3000)
#   SINK_URL        where the webhook sink listens  (http://127.0.0.1:4000)
#   UMARI_DATA_DIR  the host's data directory       (.umari beside this script)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
umari=${UMARI_URL:-http://127.0.0.1:3000}
sink=${SINK_URL:-http://127.0.0.1:4000}
read_model=${UMARI_DATA_DIR:-$here/.umari}/projector/plans.sqlite

max_polls=600 # of 0.1 s each

first_time=no # becomes yes with the first event that the tour itself writes

# --- Tools -------------------------------------------------------------------------------------

fail() {
    printf 'tour: %s\n' "$1" >&2
    exit 1
}

chapter() {
    printf '\n== %s\n' "$1"
}

# request URL [CURL OPTION..]: sets $status and $body.
request() {
    local answer
    answer=$(curl --silent --show-error --max-time 30 --write-out '\n%{http_code}' "$@") ||
        fail "no answer from $1 (is 'umari dev examples/warranty' running?)"
    status=${answer##*$'\n'}
    body=${answer%$'\n'*}
}

# get URL: sets $body.
get() {
    request "$1"
    [[ $status == 200 ]] || fail "GET $1 answered $status: $body"
}

# execute EXPECTED-STATUS COMMAND INPUT [IDEMPOTENCY-KEY]
execute() {
    local options=(--header 'Content-Type: application/json' --data "$3")
    if [[ $# == 4 ]]; then
        options+=(--header "Idempotency-Key: $4")
    fi
    request "$umari/commands/$2/execute" "${options[@]}"
    printf '%s %s\n  -> %s %s\n' "$2" "$3" "$status" "$body"
    [[ $status == "$1" ]] || fail "$2 answered $status where the story expects $1"
    if [[ $body == *'"event_type"'* ]]; then
        first_time=yes
    fi
}

# objects: splits the JSON on standard input into lines, one for each object.
objects() {
    tr -d '\n' | tr '{' '\n'
}

# number FIELD: the first such field of the JSON on standard input.
number() {
    sed -n "s/.*\"$1\": *\([0-9][0-9]*\).*/\1/p" | head -n 1
}

# catch_up MODULE: waits until the module has handled every event.
catch_up() {
    local module position=0 head=0
    for ((poll = 0; poll < max_polls; poll++)); do
        get "$umari/modules"
        module=$(objects <<<"$body" | grep "\"name\": *\"$1\"") || fail "module $1 is not active"
        position=$(number position <<<"$module")
        head=$(number head <<<"$body")
        if ((${position:-0} >= ${head:-1})); then
            return
        fi
        sleep 0.1
    done
    fail "module $1 stands at position ${position:-0} of ${head:-?}; see $umari/modules"
}

# query SQL: rows of the read model, their columns separated by tabs.
query() {
    if command -v sqlite3 >/dev/null; then
        sqlite3 -readonly -separator $'\t' "$read_model" "$1"
    elif command -v python3 >/dev/null; then
        python3 - "$read_model" "$1" <<'PYTHON'
import pathlib, sqlite3, sys

path, sql = sys.argv[1:]
uri = pathlib.Path(path).resolve().as_uri() + "?mode=ro"
for row in sqlite3.connect(uri, uri=True).execute(sql):
    print(*row, sep="\t")
PYTHON
    else
        fail "install sqlite3 (or python3) to read $read_model"
    fi
}

# --- The story ---------------------------------------------------------------------------------

two_years=00000000-0000-4000-8000-000000000501
one_year=00000000-0000-4000-8000-000000000502
warranty=00000000-0000-4000-8000-000000000601
other_warranty=00000000-0000-4000-8000-000000000602
key=00000000-0000-4000-8000-0000000009 # and two more digits

chapter 'Two shops connect'
execute 200 connect-shop '{"shop_id": 42, "shop_domain": "tea.example", "shop_name": "Tea & Kettles", "access_token": "token-42", "owner_email": "kim@tea.example"}' "${key}01"
execute 200 connect-shop '{"shop_id": 43, "shop_domain": "bikes.example", "shop_name": "Bikes", "access_token": "token-43", "owner_email": "sam@bikes.example"}' "${key}02"

chapter 'Each offers a plan'
execute 200 create-warranty-plan '{"shop_id": 42, "plan_id": "'$two_years'", "title": "Two years", "duration_months": 24, "price": "49.90", "applicable_to": "all", "status": "active"}' "${key}03"
execute 200 create-warranty-plan '{"shop_id": 43, "plan_id": "'$one_year'", "title": "One year", "duration_months": 12, "price": "9.90", "applicable_to": {"products": [7, 8]}, "status": "active"}' "${key}04"

chapter 'The first sells a warranty'
execute 200 sell-warranty '{"shop_id": 42, "plan_id": "'$two_years'", "warranty_id": "'$warranty'", "order_id": 1001, "line_item_id": 7001, "customer_email": "ada@mail.example"}' "${key}05"

chapter 'The same line of the order is not sold twice'
execute 422 sell-warranty '{"shop_id": 42, "plan_id": "'$two_years'", "warranty_id": "'$other_warranty'", "order_id": 1001, "line_item_id": 7001, "customer_email": "ada@mail.example"}'

chapter 'Bad input is refused, field by field'
execute 400 sell-warranty '{"shop_id": 42, "plan_id": "'$two_years'", "warranty_id": "'$other_warranty'", "order_id": 1002, "line_item_id": 7002, "customer_email": "nobody"}'

chapter 'The second takes its plan off the market, and cannot sell it any more'
execute 200 archive-warranty-plan '{"shop_id": 43, "plan_id": "'$one_year'"}'
execute 422 sell-warranty '{"shop_id": 43, "plan_id": "'$one_year'", "warranty_id": "'$other_warranty'", "order_id": 2001, "line_item_id": 8001, "customer_email": "eve@mail.example"}'

# --- What came of it ---------------------------------------------------------------------------

# The effect goes first, since it writes events that the projector has to pass.
catch_up register-webhooks
catch_up plans

for shop in 42 43; do
    chapter "The events of shop $shop"
    get "$umari/events?tag=shop_id:$shop"
    grep -o '"position": *[0-9]*\|"event_type": *"[^"]*"' <<<"$body" |
        sed 's/.*: *//; s/"//g' | paste - -
done

chapter 'The read model: plans'
printf '%-12s %-8s %-8s %-9s %-6s %s\n' title price status archived sold revenue
query "SELECT title, price, status, CASE WHEN archived THEN 'yes' ELSE 'no' END, total_sold, revenue
       FROM plans WHERE shop_id IN ('42', '43') ORDER BY shop_id" |
    while IFS=$'\t' read -r title price plan_status archived sold revenue; do
        printf '%-12s %-8s %-8s %-9s %-6s %s\n' \
            "$title" "$price" "$plan_status" "$archived" "$sold" "$revenue"
    done

chapter 'The webhook sink'
get "$sink/registrations"
registrations=0
while read -r shop_domain topic times repeats; do
    printf '%-14s %-17s registered %s, repeated %s\n' "$shop_domain" "$topic" "$times" "$repeats"
    ((times == 1)) || fail "$topic was registered $times times for $shop_domain"
    registrations=$((registrations + times))
done < <(
    objects <<<"$body" |
        sed -n 's/"shop_domain":"\([^"]*\)","topic":"\([^"]*\)","registrations":\([0-9]*\),"duplicates":\([0-9]*\).*/\1 \2 \3 \4/p' |
        grep -E '^(tea|bikes)\.example '
)

if [[ $first_time == no && $registrations == 0 ]]; then
    # The sink's memory ends with its process, and nothing was connected this time.
    printf 'The sink was restarted since the shops connected, and has forgotten their webhooks.\n'
fi

shops=$(query "SELECT COUNT(*) FROM shops WHERE shop_id IN ('42', '43')")
IFS=$'\t' read -r plans sold revenue < <(
    query "SELECT COUNT(*), SUM(total_sold), printf('%.2f', SUM(revenue))
           FROM plans WHERE shop_id IN ('42', '43')"
)
totals="$shops shops, $plans plans, $sold sold warranty, revenue $revenue"
expected='2 shops, 2 plans, 1 sold warranty, revenue 49.90'

printf '\n%s, %s webhook registrations\n' "$totals" "$registrations"
[[ $totals == "$expected" ]] || fail "the story ends with $expected"
[[ $registrations == 4 || $first_time == no ]] || fail 'the story ends with 4 webhook registrations'
