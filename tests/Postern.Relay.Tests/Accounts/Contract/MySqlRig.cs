using System.Data.Common;
using System.Globalization;
using MySqlConnector;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Sasl.Verifiers;
using Postern.Testing.Databases;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>A MariaDB server on loopback, with the collation that comes with it, which is asked over a wire that can be cut.</summary>
public sealed class MySqlRig : ServerRig<MariaServer>
{
    public MySqlRig()
        : base(new MariaServer())
    {
    }

    public override string Word => "mysql";

    protected override string WrongPassword => "Access denied for user 'app'@'127.0.0.1' (using password: YES)";

    protected override string NoTable => "Table 'app.people' doesn't exist";

    protected override string LargeQuery => "select repeat('x', 10000000) as password, 'x' as name, @user as email";

    protected override string QueryOfSeveral => "select 'x' as password, 'one' as name, @user as email union select 'x', 'two', ''";

    public override AccountSource ConfigureSocket() =>
        Read($"mysql://app@/{MariaServer.Database}", ("query", SqlUsers.Query), ("password", DatabaseServer.Password), ("socket", Server.Socket));

    /// <summary>A name with a space behind it is the one without, for the database.</summary>
    public override bool CanHold(string name) => !name.EndsWith(' ');

    protected override AccountSource Configure(string query, string password) => Read(
        string.Create(CultureInfo.InvariantCulture, $"mysql://app@127.0.0.1:{Wire.Port}/{MariaServer.Database}"),
        ("query", query), ("password", password), ("tls", "verify"), ("ca", Server.Authorities));

    protected override async Task<DbConnection> ConnectAsync()
    {
        var connection = new MySqlConnection(string.Create(
            CultureInfo.InvariantCulture,
            $"Server=127.0.0.1;Port={Server.Port};User={DatabaseServer.User};Password={DatabaseServer.Password};Database={MariaServer.Database};Pooling=false;SslMode=None"));
        await connection.OpenAsync();
        return connection;
    }

    protected override async Task ReloadAsync()
    {
        await using var connection = await ConnectAsync();
        SqlUsers.Execute(connection, "flush ssl");
    }
}

public sealed class MySqlStoreContractTests(MySqlRig rig) : StoreContract<MySqlRig>(rig)
{
    private const string Named = "jos\u00e9@example.org";
    private const string Typed = "jose@example.org";

    [Fact]
    public async Task Who_is_found_without_his_accents_has_his_own_account_and_nobody_elses_rights()
    {
        await Rig.PutAsync(new RigUser(Named, "{PLAIN}tiger"));
        Beside.Commands.Accounts.Add(new AddAccount(Typed, ["boss@example.org"], ["example.net"]));
        Beside.Commands.Accounts.Add(new AddAccount(Named, ["sales@example.org"], []));
        var verifiers = Open();
        foreach (var name in new[] { Named, Typed, Typed.ToUpperInvariant() })
        {
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, name, "tiger"));
            var account = (await verifiers.Accounts!.FindAccountAsync(name.ToLowerInvariant(), Ct))!;
            Assert.Equal(Named, account.Name);
            Assert.Equal([Named, "sales@example.org"], account.Addresses.Order(StringComparer.Ordinal));
            Assert.Empty(account.Domains);
        }
    }

    [Fact]
    public async Task Whose_account_is_disabled_in_the_directory_cannot_log_in_by_another_spelling()
    {
        await Rig.PutAsync(new RigUser(Named, "{PLAIN}tiger"));
        foreach (var name in new[] { Named, Typed })
            Beside.Commands.Accounts.Add(new AddAccount(name, [], []));
        var verifiers = Open();
        Beside.Commands.Accounts.Disable(Typed);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, Typed, "tiger"));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(verifiers, Named, "tiger"));
        Beside.Commands.Accounts.Enable(Typed);
        Beside.Commands.Accounts.Disable(Named);
        foreach (var name in new[] { Named, Typed })
        {
            Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(verifiers, name, "tiger"));
            Assert.False((await verifiers.Accounts!.FindAccountAsync(name, Ct))!.Enabled);
        }
    }

    [Theory]
    [InlineData("select password from (select s.*, s.secret as password from secrets s) x where email = @user", "its query has no column name")]
    [InlineData("select secret as password, null as name from secrets where email = @user", "column name: it is null")]
    [InlineData("select secret as password, '' as name from secrets where email = @user", "column name: it is no name")]
    public async Task An_answer_that_does_not_say_whose_account_it_is_is_none(string query, string why)
    {
        await Rig.PutAsync(new RigUser(Named, "{PLAIN}tiger"));
        Open(Rig.Configure(query));
        Assert.Contains(why, Assert.IsType<LoginAnswer.Unavailable>(await FindAsync(Typed)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_with_a_space_behind_it_is_nobodys()
    {
        await Rig.PutAsync(new RigUser(Named, "{PLAIN}tiger"));
        Open();
        Assert.IsType<LoginAnswer.NoMatch>(await FindAsync(Named + " "));
    }

    /// <summary>What the server says of the connection is what the password has to be.</summary>
    [Theory]
    [InlineData("select variable_value as password, @user as name from information_schema.session_status where variable_name = 'Ssl_version'", "TLSv1.3")]
    [InlineData("select cast(@@max_statement_time as int) as password, @user as name", null)]
    [InlineData("select '\\'@other' as password, @user as name # @other; select", "'@other")]
    [InlineData("select 1 - --2 as password, @user as name -- @other; select", "-1")]
    [InlineData("select 'lion' as `password`, @user as `name`", "lion")]
    public async Task A_connection_is_as_it_is_configured_and_a_query_is_read_as_the_server_reads_it(string query, string? password)
    {
        password ??= new StoreTerms().Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(Open(Rig.Configure(query)), Typed, password));
    }
}
