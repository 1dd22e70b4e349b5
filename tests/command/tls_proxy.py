"""A proxy with TLS in front of a server: tls_proxy.py CERTIFICATE KEY PORT. Prints its own port."""

import asyncio
import ssl
import sys

certificate, key, port = sys.argv[1:]


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (OSError, ssl.SSLError):
        pass  # The other side has gone, or did not trust us.
    finally:
        writer.close()


async def join(reader, writer):
    server = await asyncio.open_connection("127.0.0.1", int(port))
    await asyncio.gather(copy(reader, server[1]), copy(server[0], writer))


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    proxy = await asyncio.start_server(join, "127.0.0.1", 0, ssl=context)
    print(proxy.sockets[0].getsockname()[1], flush=True)
    await proxy.serve_forever()


asyncio.run(main())
