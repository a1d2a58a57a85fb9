using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>
/// One connection to a server, for one question at a time. Whoever is cancelled, or meets an error, leaves it in the middle of an answer:
/// then it is <see cref="IsBroken"/>, and is not used again.
/// </summary>
internal sealed class LdapConnection : IDisposable
{
    private const int MostOctets = 8 << 20;
    private const int UsualOctets = 8192;

    private readonly Socket socket;
    private Stream stream;
    private byte[] buffer = new byte[UsualOctets];
    private int start;
    private int end;
    private int lastId;

    private LdapConnection(Socket socket) => (this.socket, stream) = (socket, new NetworkStream(socket));

    public bool IsBroken { get; private set; }

    /// <summary>When it was last used, as a timestamp of the clock.</summary>
    public long UsedAt { get; set; }

    /// <summary>Connects, and makes the way safe; nobody is bound yet.</summary>
    /// <exception cref="LdapFaultException">The server has no TLS.</exception>
    public static async Task<LdapConnection> OpenAsync(
        LdapAddress address, LdapTls tls, SslClientAuthenticationOptions terms, CancellationToken ct)
    {
        var endpoint = address.EndPoint;
        var wire = endpoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        LdapConnection? connection = null;
        try
        {
            if (endpoint is not UnixDomainSocketEndPoint)
                wire.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
            await wire.ConnectAsync(endpoint, ct);
            connection = new LdapConnection(wire);
            await connection.SecureAsync(tls, terms, ct);
            return connection;
        }
        catch
        {
            connection?.Dispose();
            wire.Dispose();
            throw;
        }
    }

    /// <summary>A bind with a name and a password. Neither is ever empty: that would be nobody's, and succeed (RFC 4513 §5.1.2).</summary>
    public async ValueTask<LdapResult> BindAsync(string name, ReadOnlyMemory<byte> password, CancellationToken ct)
    {
        if (name.Length == 0 || password.IsEmpty)
            throw new InvalidOperationException("a bind without a name or a password is nobody's, and succeeds");
        var octets = LdapMessage.Bind(++lastId, name, password.Span);
        try
        {
            return await AskAsync(octets, found: null, ct);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(octets);
        }
    }

    /// <summary>What a search finds; entries are good for nothing where the result is no success.</summary>
    /// <param name="user">The name that the filter asks for.</param>
    public async ValueTask<(LdapResult Result, ImmutableArray<LdapEntry> Entries)> SearchAsync(
        LdapSearch search, string user, CancellationToken ct)
    {
        var entries = ImmutableArray.CreateBuilder<LdapEntry>();
        var result = await AskAsync(LdapMessage.Search(++lastId, search, user), entries, ct);
        return (result, entries.ToImmutable());
    }

    public void Dispose()
    {
        IsBroken = true;
        stream.Dispose();
        socket.Dispose();
    }

    private async ValueTask SecureAsync(LdapTls tls, SslClientAuthenticationOptions terms, CancellationToken ct)
    {
        if (tls == LdapTls.None)
            return;
        if (tls == LdapTls.StartTls && await AskAsync(LdapMessage.StartTls(++lastId), found: null, ct) is { IsSuccess: false } refused)
            throw new LdapFaultException($"TLS: the server does not begin it: {refused}");
        if (end > start)
            throw new LdapFaultException("TLS: the server said more before it began");
        var secure = new SslStream(stream);
        stream = secure;
        await secure.AuthenticateAsClientAsync(terms, ct);
    }

    private async ValueTask<LdapResult> AskAsync(byte[] question, ImmutableArray<LdapEntry>.Builder? found, CancellationToken ct)
    {
        var isAnswered = false;
        try
        {
            await stream.WriteAsync(question, ct);
            var read = 0;
            while (true)
            {
                var (message, octets) = await ReadAsync(ct);
                if ((read += octets) > MostOctets)
                    throw TooLong(MostOctets);
                switch (message)
                {
                    case LdapMessage.Done { Id: 0 }:
                        // A notice of disconnection (RFC 4511 §4.4.1).
                        throw new IOException("the server ends the connection");
                    case LdapMessage.Done done when done.Id == lastId:
                        isAnswered = true;
                        return done.Result;
                    case LdapMessage.Found entry when entry.Id == lastId && found is not null:
                        found.Add(entry.Entry);
                        break;
                    case LdapMessage.Other:
                        break;
                    default:
                        throw new LdapFaultException("it answers what was not asked");
                }
            }
        }
        catch (AsnContentException e)
        {
            throw new LdapFaultException("it answers what is no LDAP", e);
        }
        finally
        {
            IsBroken |= !isAnswered;
            if (start == end && buffer.Length > UsualOctets)
                buffer = new byte[UsualOctets];
        }
    }

    private async ValueTask<(LdapMessage Message, int Octets)> ReadAsync(CancellationToken ct)
    {
        int? size;
        while ((size = LdapMessage.Measure(buffer.AsSpan(start, end - start))) is null || size > end - start)
        {
            if (size < 0)
                break;
            MakeRoom(size ?? 0);
            var read = await stream.ReadAsync(buffer.AsMemory(end), ct);
            if (read == 0)
                throw new EndOfStreamException("the server has ended the connection");
            end += read;
        }

        if (size < 0)
            throw buffer[start] == 0x30 ? TooLong(LdapMessage.MaxOctets) : new LdapFaultException("it answers what is no LDAP");
        var message = LdapMessage.Read(buffer.AsMemory(start, size.Value));
        start += size.Value;
        if (start == end)
            (start, end) = (0, 0);
        return (message, size.Value);
    }

    private static LdapFaultException TooLong(int most) => new($"its answer is longer than {most >> 20} MiB") { IsOfQuestion = true };

    private void MakeRoom(int size)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        if (end == buffer.Length || size > buffer.Length)
            Array.Resize(ref buffer, Math.Max(size, buffer.Length * 2));
    }
}

/// <summary>What a server does that no question of ours can have for an answer; the message is for the audit trail.</summary>
internal sealed class LdapFaultException : IOException
{
    public LdapFaultException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }

    /// <summary>Another server would say the same.</summary>
    public bool IsOfQuestion { get; init; }
}

/// <summary>What the way to a server is.</summary>
internal enum LdapTls
{
    /// <summary>In clear.</summary>
    None,

    /// <summary>TLS that is begun in clear (RFC 4511 §4.14).</summary>
    StartTls,

    /// <summary>TLS from the first octet on.</summary>
    Ldaps,
}
