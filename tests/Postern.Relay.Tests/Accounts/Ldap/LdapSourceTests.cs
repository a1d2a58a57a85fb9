using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Ldap;

namespace Postern.Relay.Tests.Accounts.Ldap;

public sealed class LdapSourceTests
{
    private const string Example = "ldap://ldap.example.org/ou=people,dc=example,dc=org";

    [Theory]
    [InlineData(Example, "ldap.example.org", 389, "ou=people,dc=example,dc=org")]
    [InlineData("ldaps://ldap.example.org", "ldap.example.org", 636, "")]
    [InlineData("LDAP://[::1]:1389/", "::1", 1389, "")]
    [InlineData("ldap://127.0.0.1:1389/ou=my%20people,dc=x", "127.0.0.1", 1389, "ou=my people,dc=x")]
    [InlineData("ldapi://%2Frun%2Fldapi/dc=x", "/run/ldapi", 0, "dc=x")]
    public void The_address_of_a_server_is_read(string uri, string host, int port, string below)
    {
        var address = LdapAddress.Parse(uri, out var problem)!;
        Assert.Null(problem);
        Assert.Equal((host, port, below), (address.Host, address.Port, address.Base));
    }

    [Theory]
    [InlineData("ldap://admin:hunter2@ldap.example.org/dc=x", "the keys 'bind' and 'password'")]
    [InlineData("ldap://hunter2@ldap.example.org/dc=x", "the keys 'bind' and 'password'")]
    [InlineData("ldap:///dc=x", "it names no host")]
    [InlineData("ldap://ldap:0/dc=x", "it names no host, or no host and port")]
    [InlineData("ldap://ldap.example.org/dc=x?uid?sub?(uid=hunter2)", "are keys here")]
    [InlineData("ldap://ldap.example.org/hunter2", "is no DN")]
    [InlineData("ldapi://run/ldapi/dc=x", "%2F")]
    [InlineData("ldap:ldap.example.org", "ldap://host/base")]
    public void What_is_no_address_is_refused_and_not_quoted(string uri, string why)
    {
        var problem = AccountStores.WhyNot(new AccountSource(uri, "r"))!;
        Assert.Contains(why, problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bind", "cn=x", "bind: the key 'password' is missing: a bind without one is nobody's, and succeeds")]
    [InlineData("password", "hunter2", "password: it binds nobody")]
    [InlineData("filter", "(uid=*)", "filter: it does not ask for the user")]
    [InlineData("replicas", "ldap://other", "replicas: one of them is no host")]
    [InlineData("dn", "uid=lisa,dc=x", "dn: it is no DN with @user in it")]
    [InlineData("dn", "uid=@user,people", "dn: it is no DN with @user in it")]
    public void What_is_wrong_with_a_key_is_said_where_it_stands(string key, string value, string why) =>
        Assert.StartsWith(why, Assert.Single(Problems(Example, (key, value))), StringComparison.Ordinal);

    [Fact]
    public void An_empty_password_of_the_service_is_refused() =>
        Assert.Equal(["password: it is empty: a bind without a password is nobody's, and succeeds"], Problems(Example, ("bind", "cn=x"), ("password", "")));

    [Fact]
    public void Keys_that_do_nothing_beside_each_other_are_refused()
    {
        Assert.Contains("groups: it does nothing beside 'dn'", string.Join('\n', Problems(Example, ("dn", "uid=@user,dc=x"), ("groups", ""))), StringComparison.Ordinal);
        Assert.Contains("tls: the URI says ldaps://", string.Join('\n', Problems("ldaps://ldap.example.org/", ("tls", "none"))), StringComparison.Ordinal);
        Assert.Contains("ca: it counts with TLS only", string.Join('\n', Problems(Example, ("tls", "none"), ("ca", "ca.pem"))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Example, "", "")]
    [InlineData(Example, "none", "passwords go to ldap.example.org:389 in clear")]
    [InlineData("ldap://127.0.0.1/dc=x", "", "")]
    [InlineData("ldapi://%2Frun%2Fldapi/dc=x", "", "")]
    [InlineData("ldaps://ldap.example.org/dc=x", "", "")]
    public void An_operator_is_told_of_passwords_that_go_in_clear(string uri, string tls, string warning)
    {
        var source = Read(uri, tls.Length == 0 ? [] : [("tls", tls)], []);
        Assert.StartsWith(warning, string.Join('\n', AccountStores.Of(source)!.Warn(source)), StringComparison.Ordinal);
        Assert.Equal(warning.Length == 0, !AccountStores.Of(source)!.Warn(source).Any());
    }

    [Fact]
    public void An_operator_is_told_of_authorities_that_are_not_there_and_of_a_replica_in_clear()
    {
        var source = Read(Example, [("ca", "/nowhere/ca.pem")], []);
        Assert.StartsWith("ca: ", Assert.Single(AccountStores.Of(source)!.Warn(source)), StringComparison.Ordinal);
        source = Read("ldap://127.0.0.1/dc=x", [("replicas", "ldap2.example.org")], []);
        Assert.StartsWith("passwords go to ldap2.example.org:389 in clear", Assert.Single(AccountStores.Of(source)!.Warn(source)), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_entries_that_say_the_same_are_one_store_and_show_no_password()
    {
        (string, string)[] keys = [("bind", "cn=x"), ("password", "hunter2"), ("replicas", "ldap2 ldap3:1389"), ("attributes.addresses", "mail otherMailbox")];
        Assert.Equal(Read(Example, keys, []), Read(Example, keys, []));
        Assert.NotEqual(Read(Example, keys, []), Read(Example, [.. keys[..2], ("replicas", "ldap2")], []));
        Assert.DoesNotContain("hunter2", Read(Example, keys, []).ToString(), StringComparison.Ordinal);
    }

    private static List<string> Problems(string uri, params (string, string)[] keys)
    {
        var problems = new List<string>();
        Read(uri, keys, problems);
        return problems;
    }

    private static AccountSource Read(string uri, (string, string)[] keys, List<string> problems) =>
        AccountStores.Of(new AccountSource(uri, "r"))!.Read(new StoreKeys(keys) { Problems = problems }, new AccountSource(uri, "r"));
}
