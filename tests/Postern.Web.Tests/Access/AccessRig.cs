using System.Collections.Concurrent;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Testing;
using Postern.Web.Access;
using Postern.Web.Storage;

namespace Postern.Web.Tests.Access;

/// <summary>All that decides who may use the web plane, on files of its own and a clock that stands still.</summary>
internal sealed class AccessRig : IDisposable
{
    public const string Password = "lantern walnut tricycle";

    public static readonly IPAddress Home = IPAddress.Parse("192.0.2.7");

    public AccessRig()
    {
        Directory = Open();
        Access = WebAccess.Open(Directory, Hashing, Log, Clock, longestDelay: TimeSpan.Zero);
    }

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public string Folder { get; } = System.IO.Directory.CreateTempSubdirectory("postern-access-").FullName;

    public string Path => System.IO.Path.Combine(Folder, "directory.db");

    public ManualClock Clock { get; } = new();

    public EventList Log { get; } = new();

    public SqliteDirectory Directory { get; }

    public WebAccess Access { get; private set; }

    public WebState State => Access.State;

    public Sessions Sessions => Access.Sessions;

    public Keys Keys => Access.Keys;

    public HashingPool Hashing { get; } = new(new HashingPoolOptions { Threads = 2 });

    public SignIn SignIn => Access.SignIn;

    public AccessQueries Queries => new(Directory, Clock);

    public AccessCommands Commands => CommandsOn(Directory);

    public DirectoryCommands Accounts => new(Directory, Clock, Log);

    public AccessCommands CommandsOn(SqliteDirectory directory) => new(directory, Clock, Log, new Operator("root", AdminDoor.Console, "192.0.2.1"));

    /// <summary>The same database, as another process has it.</summary>
    public SqliteDirectory Open() => SqliteDirectory.Open(new SqliteDirectoryOptions(Path) { BusyTimeout = TimeSpan.FromSeconds(60) });

    /// <summary>Signs everybody out as a lost file does, and goes on with a new one.</summary>
    public void Reopen(Action whileClosed)
    {
        Access.Dispose();
        whileClosed();
        Access = WebAccess.Open(Directory, Hashing, Log, Clock, longestDelay: TimeSpan.Zero);
    }

    /// <summary>Invites a person, who takes the invitation; the next code of the authenticator is good.</summary>
    public Person Add(string name, Role? role = null, string? tenant = null)
    {
        var code = Invite(role, tenant);
        var totp = Commands.Operators.Look(code)!.Totp;
        Assert.IsType<AdminOutcome.Done>(Commands.Operators.Enrol(new EnrolOperator(code, name, new Secret(Password), OneTimeCode.Of(totp, Clock.GetUtcNow()))));
        Clock.Advance(TimeSpan.FromSeconds(30));
        return new Person(name, totp);
    }

    public string Invite(Role? role = null, string? tenant = null) =>
        Assert.IsType<Invited>(Commands.Operators.Invite((role ?? Role.Owner).Name, tenant)).Code.Reveal();

    public string CodeOf(Person person) => OneTimeCode.Of(person.Totp, Clock.GetUtcNow());

    public ValueTask<SignInAnswer> TryAsync(string name, string password, string code, IPAddress? from = null, string? cookie = null) =>
        SignIn.TryAsync(new SignInRequest(name, new Secret(password), code) { Cookie = cookie, Agent = "Browser/1" }, from ?? Home, Ct);

    /// <summary>Signs in, half a minute later: a code counts once.</summary>
    public async Task<string> SignInAsync(Person person, IPAddress? from = null, string? cookie = null)
    {
        Clock.Advance(TimeSpan.FromSeconds(30));
        var answer = await TryAsync(person.Name, Password, CodeOf(person), from, cookie);
        return Assert.IsType<SignInAnswer.Welcome>(answer).Session.Cookie.Reveal();
    }

    public async Task<Caller?> FindAsync(string cookie) => await Sessions.FindAsync(cookie, Home, Ct);

    public void Dispose()
    {
        Access.Dispose();
        Hashing.Dispose();
        Directory.Dispose();
        System.IO.Directory.Delete(Folder, recursive: true);
    }

    internal sealed record Person(string Name, byte[] Totp);

    /// <summary>Keeps what any thread appends, in order.</summary>
    internal sealed class EventList : IAuditLog
    {
        private readonly ConcurrentQueue<AuditEvent> events = new();

        public IReadOnlyList<AuditEvent> Events => [.. events];

        public IReadOnlyList<AdminEvent> Admin => [.. events.OfType<AdminEvent>()];

        public IReadOnlyList<LoginEvent> Logins => [.. events.OfType<LoginEvent>()];

        public long Dropped => 0;

        public void Append(AuditEvent audit) => events.Enqueue(audit);

        public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
