/** Servers that several tests run: what they need in the test's folder, and the commands. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes what nginx needs into the folder, and files to fetch; returns the command. `extra` goes
 * into its server block.
 */
export function nginx(
  folder: string,
  files: Readonly<Record<string, Buffer | string>>,
  extra = "listen 80; listen [::]:80;",
): string {
  mkdirSync(join(folder, "site"));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, "site", name), content);
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; error_log stderr; pid ${folder}/nginx.pid;
    events {}
    http {
      access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      server { root ${folder}/site; ${extra} }
    }`,
  );
  return `server=exec nginx -c '${folder}/nginx.conf'`;
}

/** Writes a key pair for TLS into the folder: key.pem and cert.pem. */
export function certificate(folder: string): void {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = [
    "-subj",
    "/CN=server",
    "-addext",
    "subjectAltName=DNS:server,DNS:redis,DNS:broker",
  ];
  const name = ["-days", "2", ...names, "-keyout", "key.pem", "-out", "cert.pem"];
  execFileSync("openssl", ["req", "-x509", ...key, ...name], { cwd: folder, stdio: "pipe" });
}

/**
 * Writes what sshd needs into the folder, and a user's key; returns its command, and the options of
 * a client.
 */
export function ssh(folder: string): { server: string; options: string } {
  for (const key of ["host", "user"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, key)]);
  const authorized = readFileSync(join(folder, "user.pub"));
  writeFileSync(join(folder, "authorized"), authorized, { mode: 0o600 });
  writeFileSync(
    join(folder, "sshd_config"),
    `HostKey ${folder}/host\nPort 2222\nPidFile none\nUsePAM no\nStrictModes no\n` +
      `PermitRootLogin yes\nAuthorizedKeysFile ${folder}/authorized\nSubsystem sftp internal-sftp\n`,
  );
  return {
    // The folder that sshd insists on is made where the machine has none.
    server: `server=mkdir -p /run/sshd && exec $(command -v sshd) -D -e -f '${folder}/sshd_config'`,
    options:
      "-P 2222 -i user -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
  };
}

/** A DNS server that knows one name, in both families. */
export const dnsmasq: string =
  "server=exec dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --no-resolv --no-hosts --pid-file" +
  " --address=/example.test/192.0.2.7 --address=/example.test/2001:db8::7";
