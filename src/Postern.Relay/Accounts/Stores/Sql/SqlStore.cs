using System.Data;
using System.Data.Common;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>Users whom a query of the operator's own finds. The name is a parameter, and never a part of the text.</summary>
internal sealed class SqlStore(SqlSource source, SqlDriver driver, TimeProvider clock) : IAccountStore
{
    public string Name => source.Uri;

    public StoredForms Forms => StoredForms.All;

    /// <summary>What a database holds is seen user by user; a listener may name more.</summary>
    public StoredForms CommonForms => StoredForms.Password;

    public string Realm => source.Realm;

    public async ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct)
    {
        var begun = clock.GetTimestamp();
        try
        {
            var answer = await driver.RunAsync(() => AskAsync(user, ct), ct);
            return !driver.ComparesExactly && user.EndsWith(' ') && answer is LoginAnswer.Found<StoredLogin> ? StoredLogin.Nobody : answer;
        }
        catch (OperationCanceledException)
        {
            if (clock.GetElapsedTime(begun) >= source.Terms.Timeout)
                driver.Clear();
            throw;
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is DbException or IOException)
        {
            return new LoginAnswer.Unavailable(driver.WhyNot(e));
        }
    }

    public void Dispose() => driver.Dispose();

    private async Task<LoginAnswer> AskAsync(string user, CancellationToken ct)
    {
        try
        {
            return await AskOnceAsync(user, ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && driver.WasDead(e))
        {
            // The server was started again, and the pool does not know it yet.
            driver.Clear();
            return await AskOnceAsync(user, ct);
        }
    }

    private async Task<LoginAnswer> AskOnceAsync(string user, CancellationToken ct)
    {
        await using var connection = driver.Connect();
        await connection.OpenAsync(ct);
        await using var end = driver.EndAt(connection, ct);
        var heard = driver.TokenOfCommands(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = source.Query;
        driver.AddUser(command, user);
        await driver.PrepareAsync(command, heard);
        await using var rows = await command.ExecuteReaderAsync(CommandBehavior.SingleResult, heard);
        return await SqlRows.ReadAsync(rows, user, mustName: !driver.ComparesExactly, heard);
    }
}
