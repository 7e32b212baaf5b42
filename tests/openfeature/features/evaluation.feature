Feature: Evaluating flags
  An application asks for a flag with a default of a type, and gets a value, whatever happens.
  These are the rules of OpenFeature's evaluation API, over the catalog in flags.yaml.

  Background:
    Given a client whose provider is ready

  Rule: A flag has a value of the type that is asked for

    Scenario Outline: The value
      When the <type> flag "<key>" is asked for with the default <default>
      Then the value is <value>

      Examples:
        | type    | key     | default   | value               |
        | boolean | banner  | false     | true                |
        | string  | button  | "none"    | "blue"              |
        | integer | rows    | 1         | 10                  |
        | float   | ratio   | 0.1       | 0.5                 |
        | float   | whole   | 0.5       | 2.0                 |
        | object  | layout  | {}        | {"wide": true}      |
        | object  | steps   | []        | ["cart", "pay"]     |

    Scenario Outline: The details
      When the <type> flag "<key>" is asked for with the default <default>
      Then the variant is "<variant>"
      And the reason is "<reason>"
      And there is no error

      Examples:
        | type    | key     | default   | variant | reason |
        | boolean | banner  | false     | on      | STATIC |
        | string  | button  | "none"    | blue    | STATIC |
        | integer | rows    | 1         | ten     | STATIC |
        | float   | ratio   | 0.1       | half    | STATIC |
        | object  | layout  | {}        | wide    | STATIC |

    Scenario: A value that is null leaves the default of the code
      When the string flag "optional" is asked for with the default "from the code"
      Then the value is "from the code"
      And there is no error

    Scenario: A flag that is off gives its default variation
      When the boolean flag "retired" is asked for with the default true
      Then the value is false
      And the reason is "DISABLED"

  Rule: The context decides what an experiment gives

    Scenario: A unit gets the treatment of an experiment
      Given the targeting key "user-1"
      When the string flag "colour" is asked for with the default "none"
      Then the value is "green"
      And the variant is "lime"
      And the reason is "SPLIT"
      And the metadata has the experiment "checkout", the treatment "green" and the iteration 1

    Scenario: An override is a match
      Given the targeting key "boss"
      When the string flag "colour" is asked for with the default "none"
      Then the value is "grey"
      And the reason is "TARGETING_MATCH"

    Scenario: The members of the context are attributes
      Given the targeting key "user-1"
      And the context has "country" with the value "SE"
      When the string flag "greeting" is asked for with the default "none"
      Then the value is "hej"

    Scenario: Another attribute gives the default of the flag
      Given the targeting key "user-1"
      And the context has "country" with the value "NO"
      When the string flag "greeting" is asked for with the default "none"
      Then the value is "hello"
      And the reason is "STATIC"

    Scenario: Units of several kinds
      Given the context has "targetingKeys" with the value {"user": "user-1", "device": 4}
      When the string flag "colour" is asked for with the default "none"
      Then the value is "green"

  Rule: What goes wrong gives the default of the code, and says why

    Scenario: An unknown flag
      When the string flag "buton" is asked for with the default "fallback"
      Then the value is "fallback"
      And the error is "FLAG_NOT_FOUND" and says "do you mean 'button'"
      And the reason is "ERROR"

    Scenario Outline: Another type
      When the <type> flag "<key>" is asked for with the default <default>
      Then the value is <default>
      And the error is "TYPE_MISMATCH" and says "<says>"
      And the reason is "ERROR"

      Examples:
        | type    | key     | default | says              |
        | boolean | button  | true    | is a string       |
        | string  | rows    | "x"     | is an integer     |
        | integer | banner  | 13      | is a boolean      |
        | integer | ratio   | 13      | is a float        |
        | float   | rows    | 1.5     | is an integer     |
        | object  | button  | {}      | is a string       |
        | string  | layout  | "x"     | is an object      |

    Scenario: No targeting key, where an experiment needs one
      When the string flag "colour" is asked for with the default "fallback"
      Then the value is "fallback"
      And the error is "TARGETING_KEY_MISSING" and says "'checkout'"

    Scenario: No targeting key, where none is needed
      When the string flag "button" is asked for with the default "none"
      Then the value is "blue"
      And there is no error

    Scenario: A targeting key that is too long
      Given a targeting key of 2000 letters
      When the string flag "colour" is asked for with the default "fallback"
      Then the value is "fallback"
      And the error is "INVALID_CONTEXT" and says "at most"

    Scenario: Targeting keys that are none
      Given the context has "targetingKeys" with the value ["user-1"]
      When the string flag "colour" is asked for with the default "fallback"
      Then the value is "fallback"
      And the error is "INVALID_CONTEXT" and says "targetingKeys"
