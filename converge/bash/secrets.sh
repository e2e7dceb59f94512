# Secrets come by standard input, one per line: name, blank, base64. They are never arguments nor in the environment.
while read -r name value; do
  secrets[$name]=$value
done

# secret NAME: prints it. For the role's own scripts.
secret() {
  base64 --decode <<<"${secrets[$1]?$machine: $role: no secret $1 came by standard input}"
}
