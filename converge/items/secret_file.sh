# secret_file PATH MODE OWNER GROUP SECRET [VALIDATE]
secret_file() {
  local text
  item="file $1"
  text=$(secret "$5" && printf .)
  file "$1" "$2" "$3" "$4" "${text%.}" "${6-}" "$5"
}
