using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>
/// The store of docs/adding-a-store.md: users that a server of lines knows, <c>example://host:port</c>. It is asked <c>find NAME</c> and answers <c>user ADDRESS…</c> or
/// <c>none</c>; and <c>check NAME PASSWORD</c>, both in base64, and answers <c>yes</c> or <c>no</c>. What it lacks for real use is a pool of connections.
/// </summary>
internal sealed class ExampleStore : IAccountStore
{
    public static readonly AccountStoreKind Kind = new("example", "example://accounts.example.org:1234", StoredForms.Password, static (_, source) => new ExampleStore((Source)source))
    {
        Read = static (section, source) => new Source(source)
        {
            Token = section.Secret("token", "What proves this server to the other one."),
            Domain = section.Text("domain", "none", "Appended to names without one."),
        },
        WhyNot = static source => ServerOf(source) is null ? $"'{source.Uri}' names no server: example://accounts.example.org:1234" : null,
    };

    private readonly Source source;
    private readonly Uri server;

    private ExampleStore(Source source) => (this.source, server) = (source, ServerOf(source)!);

    public string Name => source.Uri;

    public StoredForms Forms => Kind.Forms;

    public string Realm => source.Realm;

    public async ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) => await AskAsync($"find {FullName(user)}", ct) switch
    {
        ["user", .. var addresses] => new StoredLogin(user, refusal: null, [])
        {
            IsCheckedByStore = true,
            Account = new Account(user, Enabled: true, [.. addresses], []),
        }.ToAnswer(),
        ["locked", ..] => new StoredLogin(user, StoredLogin.Disabled, []) { IsCheckedByStore = true, IsDisabled = true }.ToAnswer(),
        ["none"] => StoredLogin.Nobody,
        _ => new LoginAnswer.Unavailable("it does not answer as it should"),
    };

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct) =>
        await AskAsync($"check {FullName(user)} {Convert.ToBase64String(password.Octets.Span)}", ct) switch
        {
            ["yes"] => new LoginAnswer.Match(user),
            ["no"] => new LoginAnswer.NoMatch("wrong password", UserExists: true),
            _ => new LoginAnswer.Unavailable("it does not answer as it should"),
        };

    private static Uri? ServerOf(AccountSource source) => Uri.TryCreate(source.Uri, UriKind.Absolute, out var uri) && uri is { Host.Length: > 0, Port: > 0 } ? uri : null;

    /// <summary>In base64, so that no name can hold a line end or a space.</summary>
    private string FullName(string user) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(source.Domain is null || user.Contains('@', StringComparison.Ordinal) ? user : string.Create(CultureInfo.InvariantCulture, $"{user}@{source.Domain}")));

    private async ValueTask<string[]> AskAsync(string question, CancellationToken ct)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(server.Host, server.Port, ct);
            using var reader = new StreamReader(client.GetStream());
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{source.Token?.Reveal()} {question}\n"), ct);
            return (await reader.ReadLineAsync(ct))?.Split(' ') ?? [];
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return [];
        }
    }

    private sealed record Source : AccountSource
    {
        public Source(AccountSource source)
            : base(source)
        {
        }

        public Secret? Token { get; init; }

        public string? Domain { get; init; }
    }
}
