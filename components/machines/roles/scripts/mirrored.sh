# mirrored_before: names the files by which a registry of the site's stands in for a host that is not in $UPSTREAMS any
# more. All but the first line of a file that henhouse wrote is $REST; a file of another form is an administrator's.
mirrored_before() {
    local file upstream first rest
    for file in "$HOSTS"/*/hosts.toml; do
        upstream=${file%/hosts.toml}
        upstream=${upstream##*/}
        if [[ ! -s $file || " $UPSTREAMS " == *" $upstream "* ]]; then continue; fi
        { read -r first && rest=$(cat); } <"$file" || continue
        if [[ $first == 'server = "'*"/v2/$upstream\"" && $rest == "$REST" ]]; then echo "$file"; fi
    done
}
