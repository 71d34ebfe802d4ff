#!/usr/bin/env python3
"""Power cuts under a store that is being written to: nothing that was acknowledged may be missing afterwards.

An ext4 file system in a file is mounted; a process appends to a store on it and says what was acknowledged; the file
system is shut down under it (EXT4_IOC_SHUTDOWN: what was not synced never reaches the file), mounted again, and the store
is opened and checked. Again and again on the same data. Uses the process and the check of `process.rs`.

    python3 store/tests/power_cut.py [cuts] [seed]

Needs root, loop devices and mkfs.ext4; where the machine does not have them it says so and ends with 77.
"""
import fcntl, json, os, random, shutil, signal, struct, subprocess, sys, tempfile

EXT4_IOC_SHUTDOWN = 0x8004587D
FLUSH_THE_FILE_SYSTEMS_LOG_FIRST, FLUSH_NOTHING = 1, 2
# What slots keep whole, and as much again while it is compacted, for 200 cuts and more. Takes space as it is written.
IMAGE_BYTES = 1 << 30
LINES_MIN, LINES_MAX = 200, 6000
UNABLE = 77


class Unable(Exception):
    pass


def program():
    """The test program `process`, built as the workspace's tests are: dependencies that are there are not built again."""
    command = ['cargo', 'test', '--workspace', '--test', 'process', '--no-run', '--message-format=json']
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    messages = (json.loads(line) for line in lines if line.startswith('{'))
    return next(m['executable'] for m in messages if m.get('executable') and m['target']['name'] == 'process')


def mount(image, folder):
    mounted = subprocess.run(['mount', '-o', 'loop', image, folder], stderr=subprocess.PIPE, text=True)
    if mounted.returncode != 0:
        raise Unable(f'a file system in a file cannot be mounted: {mounted.stderr.strip()}')


def umount(folder):
    subprocess.run(['umount', folder], check=True)


def make_disk(image):
    if os.geteuid() != 0:
        raise Unable('only root can mount a file system')
    if not shutil.which('mkfs.ext4'):
        raise Unable('mkfs.ext4 is not installed (Debian: e2fsprogs)')
    with open(image, 'wb') as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(['mkfs.ext4', '-q', '-F', image], check=True)


def cut_power(folder, flags):
    disk = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(disk, EXT4_IOC_SHUTDOWN, struct.pack('I', flags))
    finally:
        os.close(disk)


def free_mib(folder):
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize >> 20


class Ended(Exception):
    """A process of ours that ended as it should not have."""

    def __init__(self, what, status, text, folder):
        how = f'exit status {status}' if status >= 0 else f'signal {signal.Signals(-status).name}'
        super().__init__(f'{what} ({how}, {free_mib(folder)} MiB free): {text.strip() or "it said nothing"}')


def write_until_cut(process, folder, said, chance):
    """Cuts after so many lines; what the process still says after that was acknowledged before, or is not true."""
    with tempfile.TemporaryFile('w+') as errors:
        child = subprocess.Popen([process, 'child-append', f'{folder}/data'], stdout=subprocess.PIPE, stderr=errors, text=True)
        for _ in range(chance.randint(LINES_MIN, LINES_MAX)):
            line = child.stdout.readline()
            if not line.endswith('\n'):
                status = child.wait()
                errors.seek(0)
                raise Ended('the writing process ended before its power was cut', status, errors.read(), folder)
            said.write(line)
        cut_power(folder, chance.choice([FLUSH_THE_FILE_SYSTEMS_LOG_FIRST, FLUSH_NOTHING, FLUSH_NOTHING]))
        for line in child.stdout:
            if line.endswith('\n'):
                said.write(line)
        child.wait()
    said.flush()


def check(process, folder, acknowledged):
    """What the check says of the store, and how much of the disk is left."""
    checked = subprocess.run([process, 'check', f'{folder}/data', acknowledged], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if checked.returncode != 0:
        raise Ended('the check ended', checked.returncode, checked.stdout + checked.stderr, folder)
    return f'{checked.stdout.strip()}; {free_mib(folder)} MiB free'


def run(cuts, seed, work):
    chance = random.Random(seed)
    image, folder, acknowledged = (os.path.join(work, name) for name in ('image', 'disk', 'acknowledged'))
    os.mkdir(folder)
    make_disk(image)
    process = program()
    for cut in range(1, cuts + 1):
        try:
            mount(image, folder)
            try:
                with open(acknowledged, 'a') as said:
                    write_until_cut(process, folder, said, chance)
            finally:
                umount(folder)
            mount(image, folder)
            try:
                print(f'cut {cut}: {check(process, folder, acknowledged)}', flush=True)
            finally:
                umount(folder)
        except Ended as why:
            print(f'cut {cut} of seed {seed}: {why}')
            print(f'again: python3 store/tests/power_cut.py {cut} {seed}')
            print(f'{cut - 1} passed, 1 failed')
            return 1
    print(f'{cuts} passed, 0 failed')
    return 0


def main():
    cuts = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    with tempfile.TemporaryDirectory() as work:
        try:
            return run(cuts, seed, work)
        except Unable as why:
            print(f'power cuts cannot be made here: {why}')
            return UNABLE


if __name__ == '__main__':
    sys.exit(main())
