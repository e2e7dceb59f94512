# credentials_of_before: names the files of receivers, tokens and authorities that are not in $WANTED. A file with another
# name than a release of henhouse gives is an administrator's.
credentials_of_before() {
    local file name
    for file in "$DIRECTORY"/{receiver-*,watchdog-url,*.token,*-ca.crt}; do
        name=${file##*/}
        if [[ -f $file && " $WANTED " != *" $name "* ]]; then echo "$file"; fi
    done
}
