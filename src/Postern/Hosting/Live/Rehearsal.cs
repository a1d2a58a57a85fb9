using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Runtime;
using Postern.Smtp.Transport;

namespace Postern.Hosting.Live;

/// <summary>
/// What a server would decide, by the code of the server, over the directory's database alone: nothing is listened on, delivered or written
/// down, and what was counted is not known.
/// </summary>
internal sealed class Rehearsal : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly Compiled compiled;
    private readonly SqliteDirectory? owned;
    private readonly AccountFoundation foundation;

    private Rehearsal(
        Compiled compiled, SqliteDirectory directory, bool isOwner, TimeProvider clock, Func<AccountOptions, AccountOptions>? change)
    {
        this.compiled = compiled;
        owned = isOwner ? directory : null;
        var options = compiled.ToRelay();
        options = options with
        {
            Id = Compilation.IdOf(compiled, directory.DecoyKey.Span),
            Accounts = change is null ? options.Accounts : change(options.Accounts),
        };
        foundation = new AccountFoundation(directory, options.Accounts, NoAuditLog.Instance, clock);
        Snapshot = RelaySnapshot.Compile(options, foundation, counters: null);
    }

    public RelaySnapshot Snapshot { get; }

    /// <summary>Opens the directory for it.</summary>
    /// <param name="change">Of what the configuration says of accounts; null for nothing.</param>
    /// <exception cref="DirectoryUnavailableException">The database cannot be opened.</exception>
    public static Rehearsal Open(Compiled compiled, TimeProvider clock, Func<AccountOptions, AccountOptions>? change = null)
    {
        var directory = SqliteDirectory.Open(compiled.Configuration.ToDirectory(clock));
        try
        {
            return new Rehearsal(compiled, directory, isOwner: true, clock, change);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The mechanisms that each listener offers to the client that is offered most, in the order of the configuration, without opening the
    /// directory, which would bring it to this program's schema: what its users have in common is looked up beside it. Null where there
    /// is no place for that.
    /// </summary>
    public static ImmutableArray<ImmutableArray<string>>? Offers(Compiled compiled, TimeProvider clock)
    {
        if (Scratch(Path.GetTempPath(), compiled.Configuration.Server.Data) is not { } folder)
            return null;
        try
        {
            using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(RelayOptions.DirectoryFile(folder)) { Clock = clock });
            using var rehearsal = new Rehearsal(compiled, directory, isOwner: false, clock, change: null);
            var snapshot = rehearsal.Snapshot;
            return [.. compiled.Configuration.Listeners.Select(listener => OfferOf(snapshot, listener))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ImmutableArray<string> OfferOf(RelaySnapshot snapshot, ListenerOptions listener)
    {
        var usual = Usual(snapshot.Options.Accounts, listener.Name);
        var isTls = listener.Tls != TlsMode.None;
        return listener.AuthService is null
            ? snapshot.OfferOn(listener.Name, isTls, listener.AsksForClientCertificate, isTls, usual)!.Mechanisms
            : snapshot.MechanismsOn(listener.Name, isTls: true, usual);
    }

    /// <summary>A new directory in the first of these that takes one: a container may have none but for its data.</summary>
    internal static string? Scratch(params ReadOnlySpan<string> places)
    {
        foreach (var place in places)
        {
            try
            {
                if (Directory.Exists(place))
                    return Directory.CreateDirectory(Path.Join(place, $".postern-{Guid.NewGuid():N}"), OwnerOnly).FullName;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next one may.
            }
        }

        return null;
    }

    private static ImmutableArray<string> Usual(AccountOptions accounts, string listener) => MechanismOffer.Usual(
        accounts.Sources.Where(
            source => !accounts.StoresByListener.TryGetValue(listener, out var asked) || asked.Contains(source.Uri, StringComparer.Ordinal))
            .Select(static source => AccountStores.Of(source)!.CommonForms(source)));

    public void Dispose()
    {
        Snapshot.Dispose();
        foundation.Dispose();
        owned?.Dispose();
        compiled.Dispose();
    }
}
