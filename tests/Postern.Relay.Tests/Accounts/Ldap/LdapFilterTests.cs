using System.Formats.Asn1;
using System.Text;
using Postern.Relay.Accounts.Stores.Ldap;

namespace Postern.Relay.Tests.Accounts.Ldap;

public sealed class LdapFilterTests
{
    [Theory]
    [InlineData("(uid=@user)")]
    [InlineData(" (|(uid=@user)(mail=@user)) ")]
    [InlineData("(&(objectClass=person)(!(employeeType=guest*))(proxyAddresses=smtp:@user))")]
    [InlineData("(&(uid=@user)(cn=*)(sn=a*b*c)(createTimestamp>=2020)(uidNumber<=9)(cn~=x)(memberOf:1.2.840.113556.1.4.1941:=cn=mail,dc=example,dc=org))")]
    [InlineData(@"(&(uid=@user)(cn=\28a\29\2a))")]
    public void A_filter_that_asks_for_the_name_is_one(string filter)
    {
        Assert.NotNull(LdapFilter.Parse(filter, out var problem));
        Assert.Null(problem);
    }

    [Theory]
    [InlineData("(uid=lisa)", "it does not ask for the user")]
    [InlineData("uid=@user", "does not begin with '('")]
    [InlineData("(uid=@user", "never closed")]
    [InlineData("(&(uid=@user)", "never closed")]
    [InlineData("(uid=@user)(mail=@user)", "something stands behind its last bracket")]
    [InlineData("(uid=@user*)", "'*' stands beside @user")]
    [InlineData("(uid=*@user*)", "'*' stands beside @user")]
    [InlineData("(uid>=@user)", "more than one name fits")]
    [InlineData("(uid~=@user)", "more than one name fits")]
    [InlineData("(cn:caseExactMatch:=@user)", "more than one name fits")]
    [InlineData("(!(uid=@user))", "finds everybody else")]
    [InlineData("(mail=@user@@user)", "twice")]
    [InlineData(@"(&(uid=@user)(cn=a\2))", "two hexadecimal digits")]
    [InlineData(@"(&(uid=@user)(cn=\zz))", "two hexadecimal digits")]
    [InlineData("(&(uid=@user)(cn=a(b))", "a bracket within")]
    [InlineData("(&)", "nothing behind '&'")]
    [InlineData("(=@user)", "not (attribute=value)")]
    [InlineData("(u id=@user)", "the name of an attribute")]
    public void A_filter_that_would_find_others_is_refused(string filter, string why)
    {
        Assert.Null(LdapFilter.Parse(filter, out var problem));
        Assert.Contains(why, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Brackets_without_end_are_refused_before_the_stack_is_full()
    {
        Assert.Null(LdapFilter.Parse(string.Concat(Enumerable.Repeat("(&", 100_000)), out var problem));
        Assert.NotNull(problem);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("*)(uid=*")]
    [InlineData(@"\2a")]
    [InlineData("\0")]
    [InlineData("@user")]
    public void The_name_is_a_value_whatever_it_holds(string name)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        LdapFilter.Parse("(mail=smtp:@user;x)", out _)!.Write(writer, name);
        var test = new AsnReader(writer.Encode(), AsnEncodingRules.BER).ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3));
        Assert.Equal("mail", Encoding.UTF8.GetString(test.ReadOctetString()));
        Assert.Equal($"smtp:{name};x", Encoding.UTF8.GetString(test.ReadOctetString()));
    }

    [Theory]
    [InlineData("lisa", "lisa")]
    [InlineData("a,b+c\"d\\e<f>g;h=i", "a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h\\=i")]
    [InlineData("# lisa ", "\\# lisa\\ ")]
    [InlineData(" #", "\\ #")]
    [InlineData("\0", "\\00")]
    [InlineData("b\u00e4rt", "b\u00e4rt")]
    public void A_value_is_escaped_in_a_name(string value, string escaped)
    {
        Assert.Equal(escaped, LdapDn.Escape(value));
        Assert.Equal(LdapDn.Normalize($"uid={escaped},dc=x"), $"uid={LdapDn.Escape(value.ToLowerInvariant())},dc=x");
    }

    [Theory]
    [InlineData("CN=Sales, OU=Groups , DC=Example,dc=org", "cn=sales,ou=groups,dc=example,dc=org")]
    [InlineData(@"cn=a\2Cb,dc=x", @"cn=a\,b,dc=x")]
    [InlineData(@"cn=b\C3\A4rt,dc=x", "cn=b\u00e4rt,dc=x")]
    [InlineData("cn=a + sn=b,dc=x", "cn=a+sn=b,dc=x")]
    [InlineData("sales", null)]
    [InlineData("cn=a,", null)]
    [InlineData("", null)]
    [InlineData("cn=a\\", null)]
    public void Names_that_are_the_same_have_one_form(string dn, string? form) => Assert.Equal(form, LdapDn.Normalize(dn));

    [Theory]
    [InlineData("uid=@user,ou=people", "a,b", "uid=a\\,b,ou=people")]
    [InlineData("@user", "lisa@example.org", "lisa@example.org")]
    [InlineData("@user@corp.example", "lisa", "lisa@corp.example")]
    [InlineData("@user", "cn=admin,dc=example", null)]
    [InlineData("@user", "corp\\lisa", null)]
    [InlineData("@user", "lisa", null)]
    [InlineData("@user", "corp.example/users/lisa@x.example", null)]
    public void Without_a_search_a_user_has_one_name_to_bind_as(string template, string user, string? name) =>
        Assert.Equal(name, LdapBindName.Of(template, user));
}
